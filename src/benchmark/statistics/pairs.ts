// Comparing two by what both did.
import { bootstrapInterval } from "./bootstrap.ts";
import { binomialCdf, type Interval, mean } from "./quantile.ts";

/** Exact McNemar test, two-sided: how likely so uneven a split is when neither is better. Counts what only one got. */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const flips = onlyFirst + onlySecond;
  if (flips === 0) return 1;
  const [atMost = 1] = [...binomialCdf(flips)].slice(Math.min(onlyFirst, onlySecond));
  return Math.min(1, 2 * atMost);
}

export interface Ratio {
  readonly count: number;
  readonly value: number;
  readonly interval: Interval | null;
}

/** Geometric mean of first to second; null for no pairs. */
export function ratioOf(pairs: readonly (readonly [first: number, second: number])[]): Ratio | null {
  const logs = pairs.map(([first, second]) => Math.log(first / second)).filter(Number.isFinite);
  if (logs.length === 0) return null;
  const interval = bootstrapInterval(logs, mean);
  return {
    count: logs.length,
    value: Math.exp(mean(logs)),
    interval: interval && { low: Math.exp(interval.low), high: Math.exp(interval.high) },
  };
}
