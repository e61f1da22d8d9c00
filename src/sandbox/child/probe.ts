// What this process can do although it should not: each wall is tried alone, before any Python runs.
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:net";
import type { ChildProbes } from "./childProbes.ts";

export async function probe(unlistedFile: string, memoryPages: number): Promise<ChildProbes> {
  return {
    node: process.versions.node,
    isFirstProcess: process.pid === 1,
    environmentVariables: Object.keys(process.env).length,
    openUnlistedFile: refusal(() => closeSync(openSync(unlistedFile, "r"))),
    openUnpermittedFile: refusal(() => closeSync(openSync(process.execPath, "r"))),
    openSocket: await listen(),
    signalItself: refusal(() => process.kill(process.pid, 0)),
    codeFromString: refusal(() => new Function("return 1")),
    tooMuchMemory: refusal(() => new WebAssembly.Memory({ initial: memoryPages + 1 })),
  };
}

/** Code or name of the error; null: done without one. */
function refusal(attempt: () => unknown): string | null {
  try {
    attempt();
    return null;
  } catch (error) {
    return nameOf(error);
  }
}

function nameOf(error: unknown): string {
  const { code, name } = error as { code?: string; name?: string };
  return code ?? name ?? "Error";
}

/** Asks for a port of this machine only, and gives it back. */
function listen(): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", (error) => resolve(nameOf(error)));
    server.listen(0, "127.0.0.1", () => server.close(() => resolve(null)));
  });
}
