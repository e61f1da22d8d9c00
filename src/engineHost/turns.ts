// Who may use a model next.
import { cancelled, throwIfCancelled } from "../common/cancellation.ts";
import type { Priority } from "../protocol/engine.ts";

/** Work runs one after another: waiting completions before waiting background work, each in the order they came. */
export class Turns {
  readonly #waiting: Readonly<Record<Priority, (() => void)[]>> = { completion: [], background: [] };
  #isTaken = false;

  /** Who is cancelled while waiting leaves the queue at once. */
  async run<T>(priority: Priority, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    throwIfCancelled(signal);
    await this.#take(this.#waiting[priority], signal);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  #take(queue: (() => void)[], signal: AbortSignal): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        queue.splice(queue.indexOf(start), 1);
        reject(cancelled());
      };
      signal.addEventListener("abort", leave, { once: true });
      queue.push(start);
    });
  }

  #pass(): void {
    const next = this.#waiting.completion.shift() ?? this.#waiting.background.shift();
    if (next) next();
    else this.#isTaken = false;
  }
}
