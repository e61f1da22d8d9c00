// Intervals by drawing again from what was measured (Efron and Tibshirani 1993): the percentile method.
import { type Interval, leastForInterval, quantile } from "./quantile.ts";

const resamples = 5000;

/** Of the mean of the values, at 95 %. The same for the same values. null for fewer than `leastForInterval`. */
export function meanInterval(values: readonly number[]): Interval | null {
  return bootstrapInterval(values.length, (draw) => {
    let sum = 0;
    for (let index = 0; index < values.length; index++) sum += values[draw()] as number;
    return sum / values.length;
  });
}

/** Of the mean of all values. Clusters are drawn whole, as samples in one depend on each other. */
export function clusteredInterval(clusters: readonly (readonly number[])[]): Interval | null {
  const sums = clusters.map((values) => values.reduce((all, value) => all + value, 0));
  return bootstrapInterval(clusters.length, (draw) => {
    let [sum, count] = [0, 0];
    for (let index = 0; index < clusters.length; index++) {
      const drawn = draw();
      sum += sums[drawn] as number;
      count += clusters[drawn]?.length as number;
    }
    return sum / count;
  });
}

/**
 * Of what `statistic` says of as many items as there are, each drawn by its index: null when it has no value for them,
 * and for few items, which are too much alike when drawn again: of three, the interval holds the mean three times in four.
 */
function bootstrapInterval(count: number, statistic: (draw: () => number) => number): Interval | null {
  if (count < leastForInterval) return null;
  const random = randomNumbers(count);
  const draw = () => Math.floor(random() * count);
  const values = Array.from({ length: resamples }, () => statistic(draw));
  const interval = { low: quantile(values, 0.025), high: quantile(values, 0.975) };
  return Number.isFinite(interval.low) && Number.isFinite(interval.high) ? interval : null;
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
