// Rolling figures over the last completions, for the status bar.
import type { GenerateStats, Sparsity } from "../protocol/model.ts";
import type { Outcome } from "./outcome.ts";

/** The last values, oldest out first. */
export class RollingWindow {
  readonly #capacity: number;
  readonly #values: number[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get count(): number {
    return this.#values.length;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#capacity) this.#values.shift();
  }

  sum(): number {
    return this.#values.reduce((sum, value) => sum + value, 0);
  }

  /** Linear between the two nearest values; null when there is none. `fraction` 0.5 is the median. */
  quantile(fraction: number): number | null {
    if (this.#values.length === 0) return null;
    const sorted = this.#values.toSorted((a, b) => a - b);
    const position = fraction * (sorted.length - 1);
    const below = sorted[Math.floor(position)] as number;
    const above = sorted[Math.ceil(position)] as number;
    return below + (above - below) * (position - Math.floor(position));
  }
}

export interface LatencySummary {
  /** Completions that needed the engine. */
  readonly count: number;
  /** From the request to the first text. */
  readonly ttftP50Ms: number | null;
  readonly ttftP95Ms: number | null;
  readonly totalP50Ms: number | null;
  readonly totalP95Ms: number | null;
  /** Tokens over the time they took, so that a short completion does not count as much as a long one. */
  readonly decodeTokensPerSecond: number | null;
  readonly prefillTokensPerSecond: number | null;
  /** Part of the prompt tokens that came from the KV cache, 0 to 1. */
  readonly reuse: number | null;
  /** Mean over the tokens decoded; null when the model runs dense. */
  readonly sparsity: Sparsity | null;
}

export class LatencyStatistics {
  readonly #ttftMs: RollingWindow;
  readonly #totalMs: RollingWindow;
  readonly #promptTokens: RollingWindow;
  readonly #reusedTokens: RollingWindow;
  readonly #prefill: RateWindow;
  readonly #decode: RateWindow;
  readonly #sparsity: SparsityWindow;

  constructor(capacity = 100) {
    this.#ttftMs = new RollingWindow(capacity);
    this.#totalMs = new RollingWindow(capacity);
    this.#promptTokens = new RollingWindow(capacity);
    this.#reusedTokens = new RollingWindow(capacity);
    this.#prefill = new RateWindow(capacity);
    this.#decode = new RateWindow(capacity);
    this.#sparsity = new SparsityWindow(capacity);
  }

  /** False: the engine had no part in it, or wrote nothing. */
  addOutcome({ stats, timings }: Pick<Outcome, "stats" | "timings">): boolean {
    if (!stats || timings.ttftMs === null) return false;
    this.add(timings.ttftMs, timings.totalMs, stats);
    return true;
  }

  /** `ttftMs` and `totalMs` as the person saw them: with waiting and queueing. */
  add(ttftMs: number, totalMs: number, stats: GenerateStats): void {
    this.#ttftMs.add(ttftMs);
    this.#totalMs.add(totalMs);
    this.#promptTokens.add(stats.promptTokens);
    this.#reusedTokens.add(stats.reusedTokens);
    this.#prefill.add(stats.promptTokens - stats.reusedTokens, stats.prefillTokensPerSecond);
    this.#decode.add(stats.generatedTokens, stats.decodeTokensPerSecond);
    if (stats.sparsity) this.#sparsity.add(stats.generatedTokens, stats.sparsity);
  }

  summary(): LatencySummary {
    const promptTokens = this.#promptTokens.sum();
    return {
      count: this.#ttftMs.count,
      ttftP50Ms: this.#ttftMs.quantile(0.5),
      ttftP95Ms: this.#ttftMs.quantile(0.95),
      totalP50Ms: this.#totalMs.quantile(0.5),
      totalP95Ms: this.#totalMs.quantile(0.95),
      decodeTokensPerSecond: this.#decode.perSecond(),
      prefillTokensPerSecond: this.#prefill.perSecond(),
      reuse: promptTokens > 0 ? this.#reusedTokens.sum() / promptTokens : null,
      sparsity: this.#sparsity.mean(),
    };
  }
}

/** Amounts with the rate each was done at. */
class RateWindow {
  readonly #amounts: RollingWindow;
  readonly #seconds: RollingWindow;

  constructor(capacity: number) {
    this.#amounts = new RollingWindow(capacity);
    this.#seconds = new RollingWindow(capacity);
  }

  add(amount: number, perSecond: number): void {
    if (amount <= 0 || perSecond <= 0) return;
    this.#amounts.add(amount);
    this.#seconds.add(amount / perSecond);
  }

  perSecond(): number | null {
    const seconds = this.#seconds.sum();
    return seconds > 0 ? this.#amounts.sum() / seconds : null;
  }
}

/** Weighted by tokens, as speeds are. */
class SparsityWindow {
  readonly #tokens: RollingWindow;
  readonly #active: RollingWindow;
  readonly #hot: RollingWindow;
  readonly #bytes: RollingWindow;
  readonly #denseBytes: RollingWindow;

  constructor(capacity: number) {
    this.#tokens = new RollingWindow(capacity);
    this.#active = new RollingWindow(capacity);
    this.#hot = new RollingWindow(capacity);
    this.#bytes = new RollingWindow(capacity);
    this.#denseBytes = new RollingWindow(capacity);
  }

  add(tokens: number, { activeShare, hotShare, bytesPerToken, denseBytesPerToken }: Sparsity): void {
    this.#tokens.add(tokens);
    this.#active.add(tokens * activeShare);
    this.#hot.add(tokens * activeShare * hotShare);
    this.#bytes.add(tokens * bytesPerToken);
    this.#denseBytes.add(tokens * denseBytesPerToken);
  }

  mean(): Sparsity | null {
    const tokens = this.#tokens.sum();
    if (tokens === 0) return null;
    const active = this.#active.sum();
    return {
      activeShare: active / tokens,
      hotShare: active > 0 ? this.#hot.sum() / active : 0,
      bytesPerToken: this.#bytes.sum() / tokens,
      denseBytesPerToken: this.#denseBytes.sum() / tokens,
    };
  }
}
