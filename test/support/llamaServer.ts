// The real llama-server of llama.cpp, where one is given: HOTPATH_TEST_LLAMA_SERVER is the path of the program. A test
// that has none is skipped and says so.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { TestContext } from "vitest";

/** Empty: none is given. */
export const llamaServerProgram = process.env.HOTPATH_TEST_LLAMA_SERVER ?? "";

export interface LlamaServer {
  readonly url: string;
  readonly process: ChildProcess;
  end(): Promise<void>;
}

export function needsLlamaServer(context: TestContext): void {
  context.skip(llamaServerProgram === "", "there is no llama-server; set HOTPATH_TEST_LLAMA_SERVER to its path");
  if (!existsSync(llamaServerProgram))
    throw new Error(`HOTPATH_TEST_LLAMA_SERVER is ${llamaServerProgram}, which is not there`);
}

/** Answers requests when it resolves; on the CPU, with one thread. */
export async function startLlamaServer(model: string, ...args: string[]): Promise<LlamaServer> {
  const usual = ["--host", "127.0.0.1", "--port", "0", "--no-ui", "--threads", "1", "--device", "none"];
  const child = spawn(llamaServerProgram, ["--model", model, ...usual, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const end = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  try {
    return { url: await addressIn(child), process: child, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** It chooses a port by itself and says which in its log, once the model is loaded. */
function addressIn(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    const read = (data: Buffer) => {
      log += data;
      const url = /listening on (http:\/\/\S+)/.exec(log)?.[1];
      if (url) resolve(url);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`llama-server ended with code ${code}: ${log.slice(-2000)}`)));
  });
}
