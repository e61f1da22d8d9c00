// Cancellation in Hotpath is the platform's AbortSignal; this file holds the few things missing from it.
import { AppError } from "./errors.ts";

export function cancelled(reason = "cancelled"): AppError {
  return new AppError("request/cancelled", reason);
}

/** Throws `request/cancelled` when the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled();
}

/** Rejects with `request/cancelled` as soon as the signal fires, otherwise follows the promise. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) return Promise.reject(cancelled());
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(cancelled());
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
