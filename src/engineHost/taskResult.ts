import type { Task } from "./addon.ts";

/** The result of a task that is cancelled when the signal aborts. */
export async function taskResult<T>(task: Task<T>, signal: AbortSignal): Promise<T> {
  const cancel = () => task.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return await task.result;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
