import { cancelled, throwIfCancelled } from "../../src/common/cancellation.ts";

/** Time that passes when told to. */
export class FakeClock {
  #nowMs = 0;
  readonly #waits = new Set<{ readonly untilMs: number; readonly resolve: () => void }>();

  readonly now = (): number => this.#nowMs;

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      throwIfCancelled(signal);
      const entry = { untilMs: this.#nowMs + ms, resolve };
      this.#waits.add(entry);
      signal.addEventListener("abort", () => {
        this.#waits.delete(entry);
        reject(cancelled());
      });
    });

  get waitCount(): number {
    return this.#waits.size;
  }

  /** Lets time pass, ends the waits that are over, and lets everything that hangs on them happen. */
  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const entry of [...this.#waits]) {
      if (entry.untilMs > this.#nowMs) continue;
      this.#waits.delete(entry);
      entry.resolve();
    }
    await settle();
  }
}

/** Lets all promises that can go on do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
