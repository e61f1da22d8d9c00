import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "./cancellation.ts";

/** Rejects with `request/cancelled` when the signal fires or has fired. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // The timer's only failure is the signal.
    throw cancelled();
  }
}
