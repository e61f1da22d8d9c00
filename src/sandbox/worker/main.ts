// The worker of the panel in which code from a model runs: tries its own walls, starts Python from what the page hands
// it, runs one program. The page ends it.
import { interpreterName, runProgram, startInterpreter } from "../interpreter.ts";
import { lockDown } from "../lockdown.ts";
import { ended, type PlaceMessage, type RunRequest } from "../place.ts";
import { probe } from "./probe.ts";
import type { WorkerProbes, WorkerStart } from "./workerProbes.ts";

// Taken before Python starts; nothing of ours looks for them again.
const listen = self.addEventListener.bind(self);
const post = self.postMessage.bind(self) as (message: PlaceMessage<WorkerProbes>) => void;

/** The page sends exactly two messages, both perhaps before we ask. */
const received: unknown[] = [];
let deliver: ((message: unknown) => void) | null = null;
listen("message", ({ data }) => {
  if (deliver) deliver(data);
  else received.push(data);
  deliver = null;
});

function nextMessage<T>(): Promise<T> {
  if (received.length > 0) return Promise.resolve(received.shift() as T);
  return new Promise((resolve) => {
    deliver = resolve as (message: unknown) => void;
  });
}

/** Python's memory is bounded here: it gets a MemoryError when growing throws. */
function limitMemory(limitBytes: number): void {
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * 65_536 > limitBytes) throw new RangeError("memory limit");
    return grow.call(this, pages);
  };
}

/** Pyodide fetches two files. They are answered from memory while it starts. */
async function startPython({ wasm, stdlib, lockFileContents, snapshot }: WorkerStart) {
  const { fetch } = self;
  const { instantiateStreaming } = WebAssembly;
  self.fetch = async (url) => {
    if (String(url).endsWith("python_stdlib.zip")) return new Response(stdlib);
    // Its content is compiled already, and put in place below.
    if (String(url).endsWith("pyodide.asm.wasm")) return new Response();
    throw new TypeError(`${url} was not handed in`);
  };
  WebAssembly.instantiateStreaming = async (_, imports) => ({
    module: wasm,
    instance: await WebAssembly.instantiate(wasm, imports),
  });
  try {
    const indexURL = "https://pyodide.invalid/";
    return await startInterpreter({ indexURL, lockFileContents, snapshot: new Uint8Array(snapshot) });
  } finally {
    self.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

async function main(): Promise<void> {
  const start = await nextMessage<WorkerStart>();
  limitMemory(start.memoryBytes);
  const probes = await probe(start.memoryBytes, start.triesPolicy);
  post({ type: "probed", interpreter: interpreterName(start.lockFileContents), probes });
  const python = await startPython(start);
  lockDown(python);
  post({ type: "ready" });
  const { source, nonce } = await nextMessage<RunRequest>();
  post(ended(nonce, runProgram(python, source)));
}

main().catch((error: Error) => post({ type: "unable", reason: `${error.name}: ${error.message}`.slice(0, 500) }));
