// Comparing two by what both did.
import { clusteredInterval, meanInterval } from "./bootstrap.ts";
import { type Interval, mean } from "./quantile.ts";

/**
 * How likely so uneven a split is when neither is better, two-sided: then what all rows of a problem come to could as
 * well be the other's. Exact, over all ways to turn problems around (Fisher 1935); of one row each it is McNemar's exact
 * test. Takes +1 for what only the first got, -1 for what only the second did, 0 for what is alike.
 */
export function flipTest(clusters: readonly (readonly number[])[]): number {
  const sums = clusters.map((flips) => flips.reduce((sum, flip) => sum + flip, 0)).filter((sum) => sum !== 0);
  const most = sums.reduce((total, sum) => total + Math.abs(sum), 0);
  const observed = Math.abs(sums.reduce((total, sum) => total + sum, 0));
  // Of each total from -most to most.
  let chances = new Float64Array(2 * most + 1);
  chances[most] = 1;
  for (const sum of sums) {
    const turned = new Float64Array(chances.length);
    for (const [at, chance] of chances.entries()) {
      if (chance === 0) continue;
      turned[at + sum] = (turned[at + sum] as number) + chance / 2;
      turned[at - sum] = (turned[at - sum] as number) + chance / 2;
    }
    chances = turned;
  }
  const asUneven = chances.filter((_, at) => Math.abs(at - most) >= observed);
  return Math.min(
    1,
    asUneven.reduce((total, chance) => total + chance, 0),
  );
}

/** p-values corrected for there being several (Holm 1979). */
export function holm(pValues: readonly number[]): number[] {
  const corrected = [...pValues];
  const ranked = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  let least = 0;
  for (const [rank, { p, index }] of ranked.entries()) {
    least = Math.max(least, Math.min(1, p * (ranked.length - rank)));
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
