// What a worker of the panel tells about itself before any Python runs in it, and what it is handed.
import { isText } from "../place.ts";

/** Name of what each attempt was refused with; null: it succeeded. */
export interface WorkerProbes {
  /** "null": of a data: URL, shared with nobody. */
  readonly origin: string;
  readonly fetch: string | null;
  readonly webSocket: string | null;
  readonly importScripts: string | null;
  readonly codeFromString: string | null;
  readonly database: string | null;
  /** Growing WebAssembly's memory beyond the limit. */
  readonly tooMuchMemory: string | null;
}

/** Everything the worker needs to start Python: it can fetch nothing by itself. */
export interface WorkerStart {
  readonly wasm: WebAssembly.Module;
  readonly stdlib: ArrayBuffer;
  readonly lockFileContents: string;
  readonly snapshot: ArrayBuffer;
  readonly memoryBytes: number;
}

/** What is not there counts as an attempt that succeeded. */
export function parseWorkerProbes(probes: Record<string, unknown>): WorkerProbes | null {
  if (!isText(probes.origin)) return null;
  const refusal = (name: keyof WorkerProbes): string | null => {
    const value = probes[name];
    return isText(value) ? value : null;
  };
  return {
    origin: probes.origin,
    fetch: refusal("fetch"),
    webSocket: refusal("webSocket"),
    importScripts: refusal("importScripts"),
    codeFromString: refusal("codeFromString"),
    database: refusal("database"),
    tooMuchMemory: refusal("tooMuchMemory"),
  };
}
