// The panel's page as a sandbox: a fresh worker for each program, one more kept warm. Runs in the page, which needs
// nothing of Node or the editor: what the workers run on is handed in, since neither they nor the page may load anything.
import { AppError } from "../common/errors.ts";
import { FreshSandbox, requireConsent, unavailable } from "./freshSandbox.ts";
import { OneProgramPlace, type Shown, type StartOptions } from "./oneProgramPlace.ts";
import { parsePlaceMessage, type RunRequest } from "./place.ts";
import { type Isolation, type IsolationLayer, type Sandbox, sandboxLimits } from "./sandbox.ts";
import { parseWorkerProbes, type WorkerProbes, type WorkerStart } from "./worker/workerProbes.ts";

/** Files of dist/, as `readWorkerAssets` reads them. */
export interface WorkerAssets {
  /** panel/sandboxWorker.js */
  readonly source: string;
  /** pyodide/pyodide.asm.wasm */
  readonly wasm: ArrayBuffer;
  /** pyodide/python_stdlib.zip */
  readonly stdlib: ArrayBuffer;
  /** pyodide/pyodide-lock.json */
  readonly lockFileContents: string;
  /** pyodide/snapshot.bin */
  readonly snapshot: ArrayBuffer;
}

export interface WorkerSandboxOptions {
  readonly assets: WorkerAssets;
  /** The user knows that a wall is missing here and wants to go on. */
  readonly allowReduced: boolean;
  readonly startTimeoutMs?: number;
}

/** Starts a first worker and tries what holds it. Rejects with `sandbox/unavailable` as the confined child does. */
export async function createWorkerSandbox(options: WorkerSandboxOptions): Promise<Sandbox> {
  const { assets, allowReduced, startTimeoutMs = 30_000 } = options;
  // Where the policy forbids it, this fails here and at once: inside, Pyodide would wait for ever.
  const wasm = await WebAssembly.compile(assets.wasm).catch((error: Error) => {
    throw unavailable(`WebAssembly cannot be compiled: ${error.message}`, error);
  });
  const url = `data:text/javascript;charset=utf-8,${encodeURIComponent(assets.source)}`;
  const { stdlib, lockFileContents, snapshot } = assets;
  const { memoryBytes } = sandboxLimits;
  const startWorker = (expectedFingerprint: string | null) => {
    const triesPolicy = expectedFingerprint === null;
    const start: WorkerStart = { wasm, stdlib, lockFileContents, snapshot, memoryBytes, triesPolicy };
    try {
      return new PanelWorker(url, start, { startTimeoutMs, expectedFingerprint });
    } catch (error) {
      throw unavailable(`no worker can be started: ${(error as Error).message}`, error);
    }
  };
  const first = startWorker(null);
  try {
    const { probes, interpreter, fingerprint } = await first.probed();
    const isolation = judgeWorker(probes, interpreter);
    requireConsent(isolation, allowReduced);
    return new FreshSandbox(isolation, first, () => startWorker(fingerprint));
  } catch (error) {
    first.kill();
    throw error instanceof AppError ? error : unavailable((error as Error).message, error);
  }
}

class PanelWorker extends OneProgramPlace<WorkerProbes> {
  protected override readonly name = "the worker";
  readonly #worker: Worker;

  constructor(url: string, start: WorkerStart, options: StartOptions) {
    super(options);
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.deliver(parsePlaceMessage(data, parseWorkerProbes));
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.stop("crashed", `the worker failed: ${event.message || "it was not allowed to start"}`);
    };
    this.#worker.postMessage(start);
  }

  /** As that of the first worker, which alone has tried the page's policy. */
  override async probed(): Promise<Shown<WorkerProbes>> {
    const { probes, interpreter } = await super.probed();
    return { probes, interpreter, fingerprint: JSON.stringify({ ...probes, policy: null }) };
  }

  protected override send(request: RunRequest): void {
    this.#worker.postMessage(request);
  }

  protected override terminate(): void {
    this.#worker.terminate();
  }
}

function judgeWorker(probes: WorkerProbes, interpreter: string): Isolation {
  const tried = (attempts: readonly (readonly [string, string | null])[], more = ""): Omit<IsolationLayer, "name"> => ({
    isPresent: attempts.every(([, refusal]) => refusal !== null),
    detail: attempts.map(([what, refusal]) => `${what}: ${refusal ?? "succeeded"}`).join(", ") + more,
  });
  const policy = tried([
    ["fetch", probes.policy?.fetch ?? null],
    ["WebSocket", probes.policy?.webSocket ?? null],
    ["importScripts", probes.importScripts],
    ["code from a string", probes.policy?.codeFromString ?? null],
  ]);
  const origin = tried([["opening a database", probes.database]], `, origin ${probes.origin}`);
  const layers: IsolationLayer[] = [
    { name: "content security policy", ...policy },
    { name: "own origin", detail: origin.detail, isPresent: origin.isPresent && probes.origin === "null" },
    { name: "memory limit", ...tried([[`more than ${sandboxLimits.memoryBytes >> 20} MB`, probes.tooMuchMemory]]) },
  ];
  // The first one is what keeps a program from the network; nothing runs without it, whatever the user says.
  if (!policy.isPresent) throw unavailable(`the page's content security policy does not hold (${policy.detail})`);
  const level = layers.every(({ isPresent }) => isPresent) ? "full" : "reduced";
  return { place: "panel", level, layers, interpreter };
}
