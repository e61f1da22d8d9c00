// Intervals by drawing again from what was measured (Efron and Tibshirani 1993): the percentile method.
import { type Interval, quantile } from "./quantile.ts";

const resamples = 5000;

/**
 * Of what `statistic` says of the items, at 95 %. Items are drawn whole: give clusters where samples depend on each
 * other. The same for the same items. null for fewer than two, or when `statistic` has no value for them.
 */
export function bootstrapInterval<T>(items: readonly T[], statistic: (drawn: readonly T[]) => number): Interval | null {
  if (items.length < 2) return null;
  const random = randomNumbers(items.length);
  const drawn = [...items];
  const values = Array.from({ length: resamples }, () => {
    for (let index = 0; index < items.length; index++) drawn[index] = items[Math.floor(random() * items.length)] as T;
    return statistic(drawn);
  });
  const interval = { low: quantile(values, 0.025), high: quantile(values, 0.975) };
  return Number.isFinite(interval.low) && Number.isFinite(interval.high) ? interval : null;
}

/** Of the mean of all values, resampled by cluster. */
export function clusteredInterval(clusters: readonly (readonly number[])[]): Interval | null {
  const sums = clusters.map((values) => ({ sum: values.reduce((all, value) => all + value, 0), count: values.length }));
  return bootstrapInterval(sums, (drawn) => {
    let [sum, count] = [0, 0];
    for (const cluster of drawn) {
      sum += cluster.sum;
      count += cluster.count;
    }
    return sum / count;
  });
}

/** Evenly spread in [0, 1): Mulberry32 (Ettinger 2017). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
