// Comparing two by what both did.
import { clusteredInterval, meanInterval } from "./bootstrap.ts";
import { binomialCdf, type Interval, mean } from "./quantile.ts";

/** Exact McNemar test, two-sided: how likely so uneven a split is when neither is better. Counts what only one got. */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const flips = onlyFirst + onlySecond;
  if (flips === 0) return 1;
  const [atMost = 1] = [...binomialCdf(flips)].slice(Math.min(onlyFirst, onlySecond));
  return Math.min(1, 2 * atMost);
}

/** p-values corrected for there being several (Holm 1979); null stays null and counts for nothing. */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const corrected = [...pValues];
  const tested = pValues.flatMap((p, index) => (p === null ? [] : [{ p, index }])).sort((a, b) => a.p - b.p);
  let least = 0;
  for (const [rank, { p, index }] of tested.entries()) {
    least = Math.max(least, Math.min(1, p * (tested.length - rank)));
    corrected[index] = least;
  }
  return corrected;
}

/**
 * Of the difference of two shares, at 95 %: +1 is what only the first got, -1 what only the second did, 0 what is alike.
 * Resampled by cluster. Where nothing flipped, of the most clusters that may flip either way and show none among so
 * many (Clopper and Pearson 1934). null where all flipped the same way.
 */
export function differenceInterval(clusters: readonly (readonly number[])[]): Interval | null {
  if (clusters.length > 0 && clusters.flat().every((flip) => flip === 0)) {
    const most = 1 - 0.025 ** (1 / clusters.length);
    return { low: -most, high: most };
  }
  const interval = clusteredInterval(clusters);
  return interval && interval.low < interval.high ? interval : null;
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
  const interval = meanInterval(logs);
  return {
    count: logs.length,
    value: Math.exp(mean(logs)),
    interval: interval && { low: Math.exp(interval.low), high: Math.exp(interval.high) },
  };
}
