// The benchmark panel's page as far as running programs goes: a frame with the panel's content security policy, which is
// handed everything by message, in a page that may load things.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import type { Browser, Frame } from "playwright-core";
import { contentSecurityPolicy } from "../../src/panel/html.ts";
import { root } from "../support/sources.ts";
import { product } from "./targets.ts";

const nonce = "bm9uY2U";

export interface PanelPage {
  readonly frame: Frame;
  readonly address: string;
  close(): Promise<void>;
}

/** The panel's own policy; `more` for a page that is not as strict. */
export function panelPolicy(more: Readonly<Record<string, string>> = {}): string {
  const own = contentSecurityPolicy(nonce).split("; ");
  const directives = new Map(own.map((directive) => directive.split(/ (.*)/) as [string, string]));
  for (const [name, value] of Object.entries(more)) {
    directives.set(name, `${directives.get(name)?.replace("'none'", "") ?? ""} ${value}`);
  }
  return [...directives].map(([name, value]) => `${name} ${value}`).join("; ");
}

/** `panel` on the frame's window then holds createWorkerSandbox, the assets, and runWorker for other sources. */
export async function openPanelPage(browser: Browser, policy: string): Promise<PanelPage> {
  const script = await pageScript();
  const server = http.createServer((request, response) => {
    const url = request.url ?? "";
    if (url === "/") {
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><iframe id="panel" src="/panel"></iframe>`);
    } else if (url === "/panel") {
      response.setHeader("content-type", "text/html");
      response.setHeader("content-security-policy", policy);
      response.end(`<!doctype html><script type="module" nonce="${nonce}">${script}</script>`);
    } else if (url.startsWith("/dist/")) {
      response.end(readFileSync(path.join(product, url.slice("/dist/".length))));
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const page = await browser.newPage();
  await page.goto(address);
  const frame = page.frame({ url: `${address}/panel` });
  if (!frame) throw new Error("the panel's frame is not there");
  await frame.waitForFunction("globalThis.panel");
  await page.evaluate(handAssetsIn);
  await frame.waitForFunction("globalThis.panel.assets");
  return {
    frame,
    address,
    close: async () => {
      await page.close();
      server.close();
    },
  };
}

/** In the outer page, as the extension does it in the editor. */
async function handAssetsIn(): Promise<void> {
  const get = (file: string) => fetch(`/dist/${file}`);
  const bytes = async (file: string) => (await get(file)).arrayBuffer();
  const text = async (file: string) => (await get(file)).text();
  const assets = {
    source: await text("panel/sandboxWorker.js"),
    wasm: await bytes("pyodide/pyodide.asm.wasm"),
    stdlib: await bytes("pyodide/python_stdlib.zip"),
    lockFileContents: await text("pyodide/pyodide-lock.json"),
    snapshot: await bytes("pyodide/snapshot.bin"),
  };
  const frame = document.getElementById("panel") as HTMLIFrameElement;
  frame.contentWindow?.postMessage(assets, "*");
}

async function pageScript(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createWorkerSandbox } from "./src/sandbox/workerSandbox.ts";
        const panel = { createWorkerSandbox, assets: null };
        globalThis.panel = panel;
        addEventListener("message", ({ data }) => { if (data.wasm) panel.assets = data; });`,
      resolveDir: root,
    },
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}
