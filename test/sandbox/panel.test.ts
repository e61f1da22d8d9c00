// The worker of the panel in a real browser, under the panel's own content security policy.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { datasetsOf, prepareSuite } from "../../src/benchmark/suites/prepareSuite.ts";
import type { AppError } from "../../src/common/errors.ts";
import type { Isolation, Verdict } from "../../src/sandbox/sandbox.ts";
import type { createWorkerSandbox, WorkerAssets } from "../../src/sandbox/workerSandbox.ts";
import { findChromium, launchChromium } from "../support/browser.mjs";
import { publicData, takesAllRows } from "../support/publicData.ts";
import { root } from "../support/sources.ts";
import { choose } from "../unit/benchmark/suites/rows.ts";
import { forgeries, forgeryMessage } from "./forgeries.ts";
import { openPanelPage, type PanelPage, panelPolicy } from "./panelPage.ts";
import { programs } from "./programs.ts";

declare const panel: { createWorkerSandbox: typeof createWorkerSandbox; assets: WorkerAssets };

const attackSource = readFileSync(path.join(root, "test", "sandbox", "workerAttacks.js"), "utf8");
type CodeSuite = "humaneval" | "infill-single" | "infill-multi";
/** Rows of each set. HOTPATH_TEST_FULL=1 takes all. */
const limit = takesAllRows ? null : 3;
let browser: Browser | undefined;

beforeAll(async () => {
  const executable = findChromium();
  if (executable) browser = await launchChromium(executable);
}, 60_000);

afterAll(() => browser?.close());

async function open(context: TestContext, policy: string): Promise<PanelPage> {
  context.skip(!browser, "there is no Chromium; install one or set CHROMIUM to its path");
  const page = await openPanelPage(browser as Browser, policy);
  onTestFinished(() => page.close());
  return page;
}

/** What the suite's own test runs, told by a sandbox that runs nothing. */
async function referencesOf(id: CodeSuite, context: TestContext): Promise<string[]> {
  const datasets = publicData(context, datasetsOf(id));
  const suite = await prepareSuite(choose(id, { limit }), { datasets, productFolder: root });
  const sources: string[] = [];
  const run = async (source: string): Promise<Verdict> => {
    sources.push(source);
    return { outcome: "passed", message: null, wallMs: 0 };
  };
  const isolation: Isolation = { place: "panel", level: "full", layers: [], interpreter: "" };
  await suite.selfTest?.({ isolation, run, dispose: () => {} }, () => {}, new AbortController().signal);
  return sources;
}

interface Run {
  readonly sources: readonly string[];
  readonly allowReduced: boolean;
}

interface Result {
  readonly isolation?: Isolation;
  readonly verdicts?: readonly Verdict[];
  readonly refusal?: string;
}

const run = ({ frame }: PanelPage, what: Run) => frame.evaluate<Result, Run>(runInPage, what);

/** In the page: a sandbox that runs these programs and is closed. */
async function runInPage({ sources, allowReduced }: Run): Promise<Result> {
  try {
    const sandbox = await panel.createWorkerSandbox({ assets: panel.assets, allowReduced });
    const verdicts: Verdict[] = [];
    for (const source of sources) verdicts.push(await sandbox.run(source));
    sandbox.dispose();
    return { isolation: sandbox.isolation, verdicts };
  } catch (error) {
    const { code, message } = error as AppError;
    return { refusal: `${code}: ${message}` };
  }
}

/** Resident memory of the pages. */
async function rendererBytes(): Promise<number> {
  const session = await (browser as Browser).newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  const pages = renderers.map(({ id }) => Number(readFileSync(`/proc/${id}/statm`, "utf8").split(" ")[1]));
  return pages.reduce((sum, each) => sum + each * 4096, 0);
}

describe("a program in a worker of the panel", () => {
  it("gets the verdicts that it gets in the confined child", async (context) => {
    const page = await open(context, panelPolicy());
    const sources = programs.map(([source]) => source);
    const { verdicts, isolation } = await run(page, { sources, allowReduced: false });
    for (const [i, [source, outcome, message = expect.any(String)]] of programs.entries()) {
      expect(verdicts?.[i], source).toMatchObject({ outcome, message });
    }
    expect(isolation).toMatchObject({ place: "panel", level: "full" });
    expect(isolation?.layers.map(({ name, isPresent }) => [name, isPresent])).toEqual([
      ["content security policy", true],
      ["own origin", true],
      ["memory limit", true],
    ]);
  }, 120_000);

  it("cannot change its verdict by way of JavaScript's own objects", async (context) => {
    const page = await open(context, panelPolicy());
    const sources = forgeries.map(([, source]) => source);
    const { verdicts = [] } = await run(page, { sources, allowReduced: false });
    const seen = forgeries.map(([name], i) => [name, verdicts[i]?.outcome, verdicts[i]?.message]);
    expect(seen).toEqual(forgeries.map(([name]) => [name, "failed", forgeryMessage]));
  }, 120_000);

  it("is gone with its memory when it has ended", async (context) => {
    context.skip(process.platform !== "linux", "what a process takes is read from /proc");
    const page = await open(context, panelPolicy());
    const twelve: Run = { sources: Array(12).fill("x = 1"), allowReduced: false };
    await run(page, twelve); // What the page needs once, it has then.
    const before = await rendererBytes();
    const { verdicts = [] } = await run(page, twelve);
    expect(verdicts).toHaveLength(12);
    // 36 MB each where every worker is refused something by the page's policy, 3 where only the first is.
    expect(((await rendererBytes()) - before) / 12).toBeLessThan(15e6);
  }, 120_000);

  it.for(["humaneval", "infill-single", "infill-multi"] as const)(
    "passes with the references of %s",
    { timeout: limit === null ? 1_800_000 : 120_000 },
    async (id, context) => {
      const sources = await referencesOf(id, context);
      const { verdicts = [] } = await run(await open(context, panelPolicy()), { sources, allowReduced: false });
      expect(sources.length).toBeGreaterThan(0);
      expect(verdicts.map(({ outcome }) => outcome)).toEqual(sources.map(() => "passed"));
    },
  );

  it.for([
    ["may connect", panelPolicy({ "connect-src": "*" }), "WebSocket: succeeded"],
    ["may make code from strings", panelPolicy({ "script-src": "'unsafe-eval'" }), "from a string: succeeded"],
    ["starts no worker of data", panelPolicy().replace("worker-src data:", "worker-src blob:"), "the worker failed"],
    ["compiles no WebAssembly", "default-src 'none'; script-src 'nonce-bm9uY2U'; worker-src data:", "WebAssembly"],
  ] as const)("is refused where the page %s", { timeout: 60_000 }, async ([, policy, reason], context) => {
    const { refusal } = await run(await open(context, policy), { sources: [], allowReduced: true });
    expect(refusal).toMatch(/^sandbox\/unavailable: /);
    expect(refusal).toContain(reason);
  });
});

interface Target {
  readonly source: string;
  readonly canary: string;
  readonly own: string;
  readonly nested: boolean;
}

/** In the page: every attack, and what came of it. */
function attackInPage(target: Target): Promise<Record<string, string>> {
  return new Promise((resolve) => {
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(target.source)}`);
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(target);
  });
}

async function attack(context: TestContext, policy: string, nested: boolean) {
  const visits: string[] = [];
  const server = http.createServer((request, response) => {
    visits.push(request.url ?? "");
    response.setHeader("access-control-allow-origin", "*");
    response.end();
  });
  server.on("connection", () => visits.push("a connection"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const canary = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { frame, address } = await open(context, policy);
  const target = { source: attackSource, canary, own: address, nested };
  const results = await frame.evaluate<Record<string, string>, Target>(attackInPage, target);
  const reached = Object.keys(results).filter((name) => results[name] === "reached");
  return { results, reached, visits };
}

describe("attacks in JavaScript from a worker of the panel", () => {
  it.for([
    ["the worker", false],
    ["a worker that it starts", true],
  ] as const)("reach nothing from %s", { timeout: 60_000 }, async ([, nested], context) => {
    const { results, reached, visits } = await attack(context, panelPolicy(), nested);
    expect(reached).toEqual([]);
    expect(visits).toEqual([]);
    expect(Object.keys(results).length).toBeGreaterThan(30);
  });

  it("reach a lot under a policy that lets them, or they would prove nothing", async (context) => {
    const all = { "connect-src": "*", "script-src": "'unsafe-eval' * data: blob:", "worker-src": "* data: blob:" };
    const { reached, visits } = await attack(context, panelPolicy(all), false);
    expect(reached).toEqual(
      expect.arrayContaining([
        "fetch another server",
        "XMLHttpRequest",
        "eval",
        "import of data",
        "a worker of a blob",
      ]),
    );
    expect(visits).toEqual(expect.arrayContaining(["a connection", "/fetch", "/script"]));
  }, 60_000);
});
