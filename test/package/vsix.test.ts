// What the packaged extension holds: everything it needs and nothing else.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makePackage } from "../../esbuild.mjs";
import { read, root } from "../support/sources.ts";
import { readZip } from "../support/zip.mjs";

/** Built only where a CUDA compiler is. */
const cudaLibrary = path.join(root, "dist", "native", "libhotpath-cuda.so");

let vsix = "";
let contents = new Map<string, Buffer>();

beforeAll(async () => {
  vsix = makePackage(() => {});
  contents = await readZip(vsix);
}, 60_000);

const sha256 = (bytes: Buffer | undefined) =>
  createHash("sha256")
    .update(bytes ?? "")
    .digest("hex");

/** Names with what differs between platforms and releases replaced. */
function shape(name: string): string {
  return name
    .replace(/^(.*\/lib)ggml-cpu-\w+\.so$/, "$1ggml-cpu-*.so")
    .replace(/\.v\d+\.\d+\.\d+\./, ".v*.")
    .replace(/(walkthrough|readme|prompts|traces)\/[\w-]+\.(svg|png|txt|json)$/, "$1/*");
}

describe("the package", () => {
  const isListed = process.platform === "linux" && process.arch === "x64";
  const onlyListed = { meta: { reason: "the list is of a package for Linux on x86-64" } };
  it.runIf(isListed)("holds these files and nothing else", onlyListed, () => {
    const files = [...contents.keys()].filter((name) => name.startsWith("extension/")).map(shape);
    expect([...new Set(files)].sort()).toEqual([
      "extension/LICENSE.txt",
      "extension/changelog.md",
      "extension/dist/THIRD_PARTY_NOTICES.txt",
      "extension/dist/cli.js",
      "extension/dist/drawn.js",
      "extension/dist/engineHost.js",
      "extension/dist/extension.js",
      "extension/dist/native/LICENSE.llama.cpp",
      "extension/dist/native/hotpath-confine",
      "extension/dist/native/hotpath.node",
      "extension/dist/native/libggml-base.so",
      "extension/dist/native/libggml-cpu-*.so",
      "extension/dist/native/libggml-vulkan.so",
      "extension/dist/native/libggml.v*.so",
      ...(existsSync(cudaLibrary) ? ["extension/dist/native/libhotpath-cuda.so"] : []),
      "extension/dist/native/libllama.v*.so",
      "extension/dist/panel/main.js",
      "extension/dist/panel/sandboxWorker.js",
      "extension/dist/panel/style.css",
      "extension/dist/pyodide/pyodide-lock.json",
      "extension/dist/pyodide/pyodide.asm.wasm",
      "extension/dist/pyodide/python_stdlib.zip",
      "extension/dist/pyodide/snapshot.bin",
      "extension/dist/sandboxChild.mjs",
      "extension/media/benchmark/prompts/*",
      "extension/media/benchmark/record-1.schema.json",
      "extension/media/benchmark/starter.jsonl",
      "extension/media/benchmark/traces/*",
      "extension/media/icon.png",
      "extension/media/readme/*",
      "extension/media/sample/rectangle.py",
      "extension/media/starter/README.md",
      "extension/media/starter/starter-nano-q8_0.gguf",
      "extension/media/walkthrough/*",
      "extension/package.json",
      "extension/readme.md",
    ]);
  });

  it("brings every CPU variant of the prebuilt libraries", () => {
    const variants = [...contents.keys()].filter((name) => /ggml-cpu-\w+\./.test(name));
    expect(variants.length).toBeGreaterThanOrEqual(process.arch === "x64" ? 13 : 1);
  });

  it("holds the starter model its card describes", () => {
    const model = contents.get("extension/media/starter/starter-nano-q8_0.gguf");
    expect(read("media/starter/README.md")).toContain(sha256(model));
  });

  it("names the licence of everything inside", () => {
    const notices = contents.get("extension/dist/THIRD_PARTY_NOTICES.txt")?.toString() ?? "";
    for (const name of ["llama.cpp", "vscode-jsonrpc", "ignore", "node-addon-api", "pyodide", "CPython"])
      expect(notices).toContain(name);
    expect(notices).toContain("Mozilla Public License Version 2.0");
    expect(notices).toContain("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2");
    expect(notices.includes("NVIDIA CUDA runtime")).toBe(existsSync(cudaLibrary));
    expect(notices.match(/Permission is hereby granted/g)?.length).toBeGreaterThanOrEqual(4);
    expect(contents.has("extension/LICENSE.txt")).toBe(true);
  });

  it("brings Pyodide's files as they are, for its licence and for the snapshot", () => {
    for (const file of ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]) {
      const original = readFileSync(path.join(root, "node_modules", "pyodide", file));
      expect(sha256(contents.get(`extension/dist/pyodide/${file}`)), file).toBe(sha256(original));
    }
  });

  it("brings nothing of what the tests attack the sandbox with", () => {
    const attacks = [...contents].filter(([, bytes]) => bytes.includes("read a file beside"));
    expect(attacks.map(([name]) => name)).toEqual([]);
  });

  it("says nothing about the machine it was built on", () => {
    const folder = process.cwd();
    const telling = [...contents].filter(([name, bytes]) => name.endsWith(".js") && bytes.includes(folder));
    expect(telling.map(([name]) => name)).toEqual([]);
  });

  it("stays a download a person accepts", () => {
    expect(statSync(vsix).size).toBeLessThan(60e6);
  });
});
