// What a worker of the panel tells about itself before any Python runs in it, and what it is handed.
import { isText } from "../place.ts";

/** Name of what each attempt was refused with; null: it succeeded. */
export interface WorkerProbes {
  /** Of the page's content security policy; null: not tried. */
  readonly policy: PolicyProbes | null;
  /** "null": of a data: URL, shared with nobody. */
  readonly origin: string;
  readonly importScripts: string | null;
  readonly database: string | null;
  /** Growing WebAssembly's memory beyond the limit. */
  readonly tooMuchMemory: string | null;
}

export interface PolicyProbes {
  readonly fetch: string | null;
  readonly webSocket: string | null;
  readonly codeFromString: string | null;
}

/** Everything the worker needs to start Python: it can fetch nothing by itself. */
export interface WorkerStart {
  readonly wasm: WebAssembly.Module;
  readonly stdlib: ArrayBuffer;
  readonly lockFileContents: string;
  readonly snapshot: ArrayBuffer;
  readonly memoryBytes: number;
  /**
   * The policy is the page's, for as long as it lives, and the same for all its workers of data: URLs: the first one tries
   * it. Chromium keeps 13 MB of a worker for ever that was refused anything by it, after the worker has ended.
   */
  readonly triesPolicy: boolean;
}

/** What is not there counts as an attempt that succeeded. */
export function parseWorkerProbes(probes: Record<string, unknown>): WorkerProbes | null {
  const { origin, policy, importScripts, database, tooMuchMemory } = probes;
  if (!isText(origin)) return null;
  return {
    origin,
    policy: typeof policy === "object" && policy !== null ? parsePolicyProbes(policy) : null,
    importScripts: refusal(importScripts),
    database: refusal(database),
    tooMuchMemory: refusal(tooMuchMemory),
  };
}

function parsePolicyProbes(policy: { fetch?: unknown; webSocket?: unknown; codeFromString?: unknown }): PolicyProbes {
  const { fetch, webSocket, codeFromString } = policy;
  return { fetch: refusal(fetch), webSocket: refusal(webSocket), codeFromString: refusal(codeFromString) };
}

function refusal(value: unknown): string | null {
  return isText(value) ? value : null;
}
