// What this worker can do although it should not, tried before any Python runs. Nothing here leaves the machine even
// where it succeeds: a data: URL, this machine's discard port, a database that is deleted again.
import type { WorkerProbes } from "./workerProbes.ts";

declare function importScripts(url: string): void;

const answerTimeoutMs = 5_000;

export async function probe(memoryBytes: number): Promise<WorkerProbes> {
  return {
    origin: self.origin,
    fetch: await refusal(() => fetch("data:text/plain,")),
    webSocket: await refusal(openWebSocket),
    importScripts: await refusal(() => importScripts("data:text/javascript,")),
    codeFromString: await refusal(() => new Function("return 1")),
    database: await refusal(openDatabase),
    tooMuchMemory: await refusal(() => new WebAssembly.Memory({ initial: 1, maximum: 65_536 }).grow(memoryBytes >> 16)),
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

/** Nobody listens at that port, so an error alone proves nothing; the policy says itself when it was the reason. */
function openWebSocket(): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (event: SecurityPolicyViolationEvent) => {
      if (event.effectiveDirective === "connect-src" && event.blockedURI.startsWith("ws:")) reject(new Violation());
    };
    self.addEventListener("securitypolicyviolation", refused);
    const socket = new WebSocket("ws://127.0.0.1:9/");
    setTimeout(() => {
      self.removeEventListener("securitypolicyviolation", refused);
      socket.close();
      resolve();
    }, answerTimeoutMs);
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
