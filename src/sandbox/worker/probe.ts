// What this worker can do although it should not, tried before any Python runs. Nothing here tells anybody anything
// even where it succeeds: a name that never exists, this machine's discard port, a database that is deleted again.
import type { PolicyProbes, WorkerProbes } from "./workerProbes.ts";

declare function importScripts(url: string): void;

const answerTimeoutMs = 3_000;

export async function probe(memoryBytes: number, triesPolicy: boolean): Promise<WorkerProbes> {
  return {
    policy: triesPolicy ? await probePolicy() : null,
    origin: self.origin,
    importScripts: await refusal(() => importScripts("data:text/javascript,")),
    database: await refusal(openDatabase),
    tooMuchMemory: await refusal(() => new WebAssembly.Memory({ initial: 1, maximum: 65_536 }).grow(memoryBytes >> 16)),
  };
}

async function probePolicy(): Promise<PolicyProbes> {
  return {
    fetch: await refusal(() => violation(() => fetch("https://hotpath.invalid/").catch(() => {}))),
    webSocket: await refusal(() => violation(() => new WebSocket("ws://127.0.0.1:9/"))),
    codeFromString: await refusal(() => new Function("return 1")),
  };
}

async function refusal(attempt: () => unknown): Promise<string | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    return (error as { name?: string }).name ?? "Error";
  }
}

/**
 * The addresses answer nobody, so an error alone proves nothing: the policy itself says when it was the reason. Without
 * that within the time, the attempt counts as one that succeeded.
 */
function violation(start: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = ({ effectiveDirective }: SecurityPolicyViolationEvent) => {
      if (effectiveDirective === "connect-src") settle(() => reject(new Violation()));
    };
    const timer = setTimeout(() => settle(resolve), answerTimeoutMs);
    const settle = (end: () => void) => {
      clearTimeout(timer);
      self.removeEventListener("securitypolicyviolation", refused);
      end();
    };
    self.addEventListener("securitypolicyviolation", refused);
    start();
  });
}

class Violation extends Error {
  override readonly name = "SecurityPolicyViolation";
}

function openDatabase(): Promise<void> {
  const name = "hotpath-probe";
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      request.result.close();
      indexedDB.deleteDatabase(name);
      resolve();
    };
  });
}
