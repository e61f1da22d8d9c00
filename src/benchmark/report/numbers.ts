// How the figures of reports are written.
import type { Interval } from "../statistics/quantile.ts";

/** Three digits, without an exponent. */
export function formatNumber(value: number): string {
  if (value === 0) return "0";
  const decimals = Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(decimals);
}

/** "0.512 ms", "48.0 ms", "1.24 s", "12.4 s". */
export function formatMs(ms: number): string {
  return ms < 999.5 ? `${formatNumber(ms)} ms` : `${formatNumber(ms / 1000)} s`;
}

export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** "+2.4 points" */
export function formatPoints(difference: number): string {
  return `${signed(100 * difference)} points`;
}

/** Decimal units, as disks and GPUs have them. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB"], " ");
}

/** "7.24B" */
export function formatCount(count: number): string {
  return scaled(count, ["", "k", "M", "B", "T"], "");
}

/** " (4.1 to 4.3 ms)"; nothing for an interval that is written like a single value. */
export function formatInterval(interval: Interval | null, format: (value: number) => string): string {
  const range = interval ? formatRange(interval, format) : "";
  return range === "" ? "" : ` (${range})`;
}

/** "4.1 to 4.3 ms", or nothing, as above. */
export function formatRange(interval: Interval, format: (value: number) => string): string {
  const [low, high] = [format(interval.low), format(interval.high)];
  if (low === high) return "";
  const unit = / \D+$/.exec(high)?.[0] ?? "";
  return `${low.endsWith(unit) ? low.slice(0, low.length - unit.length) : low} to ${high}`;
}

function scaled(value: number, units: readonly string[], gap: string): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${power === 0 ? String(value) : formatNumber(value / 1000 ** power)}${gap}${units[power]}`;
}

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(1)}`;
}
