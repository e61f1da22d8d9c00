// What the completions of this window are doing and how fast they were.
import type { Disposable } from "../common/dispose.ts";
import { Emitter } from "../common/emitter.ts";
import type { AppError } from "../common/errors.ts";
import { LatencyStatistics, type LatencySummary } from "../completion/latency.ts";
import type { Outcome } from "../completion/outcome.ts";

export class Activity {
  readonly #changed = new Emitter<void>();
  #latency = new LatencyStatistics();
  #running = 0;
  #failure: AppError | null = null;

  readonly onDidChange: (listener: () => void) => Disposable = this.#changed.event;

  get isGenerating(): boolean {
    return this.#running > 0;
  }

  /** Of the last completion or load, until one succeeds. */
  get failure(): AppError | null {
    return this.#failure;
  }

  get latency(): LatencySummary {
    return this.#latency.summary();
  }

  /** Counts the work as generating while it lasts. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#running++;
    this.#changed.fire();
    try {
      return await work;
    } finally {
      this.#running--;
      this.#changed.fire();
    }
  }

  noteOutcome(outcome: Pick<Outcome, "stats" | "timings">): void {
    if (this.#latency.addOutcome(outcome)) this.clearFailure();
  }

  clearFailure(): void {
    this.#failure = null;
    this.#changed.fire();
  }

  noteFailure(error: AppError): void {
    this.#failure = error;
    this.#changed.fire();
  }

  /** Another model: what was measured and what failed says nothing about it. */
  reset(): void {
    this.#latency = new LatencyStatistics();
    this.clearFailure();
  }
}
