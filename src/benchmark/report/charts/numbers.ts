// How figures are written in charts and beside them.
import { formatInterval } from "../numbers.ts";
import type { Estimate } from "./points.ts";

/** 7B, 1.5B, 360M; three digits at most. */
export function formatCount(count: number): string {
  const [value, unit] =
    count >= 1e12
      ? [count / 1e12, "T"]
      : count >= 1e9
        ? [count / 1e9, "B"]
        : count >= 1e6
          ? [count / 1e6, "M"]
          : [count / 1e3, "k"];
  return `${digits(value, 2)}${unit}`;
}

/** 0.42 ms, 8.3 ms, 240 ms, 1.2 s, 85 s. */
export function formatLatency(ms: number): string {
  return ms < 1000 ? `${digits(ms, 2)} ms` : `${digits(ms / 1000, 2)} s`;
}

export function formatShare(share: number): string {
  return `${digits(share * 100, 3)} %`;
}

/** With its interval: "240 ms (220 to 260 ms)". */
export function formatEstimate({ value, low, high }: Estimate, format: (value: number) => string): string {
  return format(value) + formatInterval(low === null || high === null ? null : { low, high }, format);
}

/** As many significant digits, without zeros at the end; whole numbers keep all of theirs. */
function digits(value: number, significant: number): string {
  const whole = Math.abs(value) >= 10 ** (significant - 1);
  return whole && significant < 3 ? String(Math.round(value)) : String(Number(value.toPrecision(significant)));
}

/**
 * Round values for a logarithmic axis over this range: 1, 2 and 5 of each decade, fewer where decades are many. A range too
 * narrow for them gets equal steps.
 */
export function logTicks(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const decades = Math.log10(high / low);
  const steps = decades > 3 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let exponent = first; exponent <= last; exponent++) {
    for (const step of steps) {
      const tick = Number((step * 10 ** exponent).toPrecision(1));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks.length >= 3 ? ticks : evenTicks(low, high);
}

function evenTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * (rough / decade > 5 ? 10 : rough / decade > 2 ? 5 : rough / decade > 1 ? 2 : 1);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** The range of positive values, widened so that points do not sit on the border. */
export function logRange(values: readonly number[]): { min: number; max: number } {
  const positive = values.filter((value) => value > 0);
  const low = Math.min(...positive);
  const high = Math.max(...positive);
  const margin = Math.max(1.25, (high / low) ** 0.06);
  // Within what numbers can be: an axis that ends at 0 or never would have ticks without end.
  return { min: Math.max(Number.MIN_VALUE, low / margin), max: Math.min(Number.MAX_VALUE, high * margin) };
}
