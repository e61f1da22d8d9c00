// How often something was right.
import { clusteredInterval } from "./bootstrap.ts";
import type { Interval } from "./quantile.ts";

const z = 1.959963984540054;

export interface Rate {
  readonly count: number;
  /** 0 to 1. */
  readonly value: number;
  readonly interval: Interval | null;
  /** "Wilson by problem": where clusters are few or all alike, drawing them again says nothing. */
  readonly method: "Wilson" | "Wilson by problem" | "bootstrap by problem";
}

/**
 * Of yes-or-no samples in clusters. Where every cluster has one, they are independent and the interval is Wilson's;
 * else whole clusters are drawn again. null for no samples.
 */
export function rateOf(clusters: readonly (readonly boolean[])[]): Rate | null {
  const samples = clusters.flat();
  if (samples.length === 0) return null;
  const value = shareOfTrue(samples);
  const count = samples.length;
  if (clusters.length === count) {
    return { count, value, interval: wilsonInterval(samples.filter(Boolean).length, count), method: "Wilson" };
  }
  const interval = clusteredInterval(clusters.map((cluster) => cluster.map(Number)));
  if (interval && interval.low < interval.high) return { count, value, interval, method: "bootstrap by problem" };
  const problems = clusters.length;
  return { count, value, interval: wilsonInterval(value * problems, problems), method: "Wilson by problem" };
}

export function shareOfTrue(samples: readonly boolean[]): number {
  return samples.filter(Boolean).length / samples.length;
}

/** At 95 % (Wilson 1927), without correction for continuity. */
export function wilsonInterval(correct: number, count: number): Interval {
  const share = correct / count;
  const center = share + z ** 2 / (2 * count);
  const half = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const scale = 1 + z ** 2 / count;
  // Exactly 0 and 1 at the ends, where rounding would leave a speck.
  const low = correct === 0 ? 0 : (center - half) / scale;
  return { low, high: correct === count ? 1 : (center + half) / scale };
}
