// Servers that fail for a moment are asked again, and so is an engine that a busy machine kept from answering.
import { isCancelled, toAppError } from "../../common/errors.ts";
import type { RunClock } from "./suiteRun.ts";

/** Before the second and the third try. */
const pausesMs = [1000, 5000] as const;
/** A server that is starting, has too much to do, or was cut off, and answers the same request later. */
const passingStatuses = new Set([408, 429, 500, 502, 503, 504]);
const passingErrors = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

export async function withRetries<T>(
  ask: () => Promise<T>,
  clock: Pick<RunClock, "wait">,
  signal: AbortSignal,
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await ask();
    } catch (error) {
      if (isCancelled(error) || !isPassing(error)) throw error;
      await clock.wait(pauseMs, signal);
    }
  }
  return ask();
}

function isPassing(error: unknown): boolean {
  const { code, details } = toAppError(error);
  if (code === "engine/unresponsive") return true;
  if (code !== "server/failed") return false;
  return passingStatuses.has(Number(details.status)) || passingErrors.has(String(details.errno));
}
