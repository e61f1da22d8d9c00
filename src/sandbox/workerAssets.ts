// Reads, where files can be read, what the panel's page hands to its workers.
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { WorkerAssets } from "./workerSandbox.ts";

/** `folder`: dist/ of the product. 44 MB; as `postMessage` takes them. */
export async function readWorkerAssets(folder: string): Promise<WorkerAssets> {
  const bytes = async (file: string): Promise<ArrayBuffer> => {
    const { buffer, byteOffset, byteLength } = await readFile(path.join(folder, file));
    return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);
  };
  const text = (file: string) => readFile(path.join(folder, file), "utf8");
  const [source, wasm, stdlib, lockFileContents, snapshot] = await Promise.all([
    text("panel/sandboxWorker.js"),
    bytes("pyodide/pyodide.asm.wasm"),
    bytes("pyodide/python_stdlib.zip"),
    text("pyodide/pyodide-lock.json"),
    bytes("pyodide/snapshot.bin"),
  ]);
  return { source, wasm, stdlib, lockFileContents, snapshot };
}
