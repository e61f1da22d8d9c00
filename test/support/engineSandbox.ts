// A private engine for one test: its own runtime folder, real process, real addon, starter model.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "../../src/common/logger.ts";
import type { Engine, EngineState, GenerateOptions } from "../../src/engine/engine.ts";
import { createLocalEngine } from "../../src/engine/localEngine.ts";
import type { ModelSpec } from "../../src/protocol/model.ts";
import { type EngineFile, parseEngineFile, type RuntimeFiles, runtimeFiles } from "../../src/protocol/runtimeFiles.ts";
import { root } from "./sources.ts";

export const starter: ModelSpec = {
  path: path.join(root, "media", "starter", "starter-nano-q8_0.gguf"),
  device: "cpu",
  gpuLayers: -1,
  contextLength: 0,
  threads: 1,
  mode: "auto",
};

export const engineScript = path.join(root, "dist", "engineHost.js");

/** The build's own version, so that client and engine agree as they do in the product. */
export const builtVersion =
  /PRODUCT_VERSION|"(\d+\.\d+\.\d+\+[0-9a-f]{8})"/.exec(readFileSync(engineScript, "utf8"))?.[1] ?? "";

export interface EngineSandbox {
  readonly files: RuntimeFiles;
  readonly env: NodeJS.ProcessEnv;
  client(options?: Partial<Parameters<typeof createLocalEngine>[0]>): Engine;
  engineFile(): EngineFile;
  end(): Promise<void>;
}

export function engineSandbox(extraEnv: NodeJS.ProcessEnv = {}): EngineSandbox {
  const directory = mkdtempSync(path.join(os.tmpdir(), "hp-"));
  const env = { ...process.env, HOTPATH_RUNTIME_DIR: directory, HOTPATH_LINGER_MS: "2000", ...extraEnv };
  const files = runtimeFiles(env);
  const clients: Engine[] = [];
  const engineFile = () => {
    const file = parseEngineFile(readFileSync(files.engine, "utf8"));
    if (!file) throw new Error("no engine has announced itself");
    return file;
  };
  return {
    files,
    env,
    engineFile,
    client(options = {}) {
      const client = createLocalEngine({
        engineScript,
        env,
        client: `test ${process.pid}.${clients.length}`,
        logger: silentLogger,
        productVersion: builtVersion,
        preferences: { idleUnloadMinutes: 0 },
        ...options,
      });
      clients.push(client);
      return client;
    },
    async end() {
      for (const client of clients) client.dispose();
      if (existsSync(files.engine)) kill(engineFile().pid, "SIGKILL");
      await removeFolder(directory);
    },
  };
}

/** The watcher of a killed engine writes its exit status a moment later, perhaps while we remove its folder. */
async function removeFolder(folder: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Not empty again: looked at below.
    }
    await sleep(20);
    if (!existsSync(folder)) return;
  }
  throw new Error(`${folder} is still written to`);
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/** "absent", or the process state letter of ps: "Z" is a zombie. */
export function processState(pid: number): string {
  try {
    return (
      execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
        .trim()
        .charAt(0) || "absent"
    );
  } catch {
    return "absent"; // ps fails for a pid that is not there.
  }
}

export async function until(condition: () => boolean, withinMs = 10_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`not so within ${withinMs} ms: ${condition}`);
    await sleep(10);
  }
}

export function nextState(engine: Engine, accept: (state: EngineState) => boolean): Promise<EngineState> {
  if (accept(engine.state)) return Promise.resolve(engine.state);
  return new Promise((resolve) => {
    const listening = engine.onDidChangeState((state) => {
      if (!accept(state)) return;
      listening.dispose();
      resolve(state);
    });
  });
}

const before = "class Rectangle:\n    def __init__(self, width, height):\n        self.width = width\n        ";
const after = "\n\n    def area(self):\n        return self.width * self.height\n";

export function request(options: Partial<GenerateOptions> = {}): GenerateOptions {
  return {
    model: starter,
    priority: "completion",
    documentId: "a.py",
    sequenceKey: "a.py",
    form: "fim",
    prefix: before,
    suffix: after,
    maxPromptTokens: 0,
    maxTokens: 16,
    maxLines: 1,
    stop: [],
    temperature: 0,
    topP: 1,
    seed: 0,
    timeLimitMs: 0,
    ignoreEnd: false,
    freshCache: false,
    timeTokens: false,
    ...options,
  };
}

/** A generation that goes on for seconds: no stop rule but the token limit. */
export function longRequest(options: Partial<GenerateOptions> = {}): GenerateOptions {
  return request({ prefix: "import os\n".repeat(120), suffix: "", maxTokens: 400, maxLines: 0, ...options });
}
