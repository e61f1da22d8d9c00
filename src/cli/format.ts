// Numbers and tables as people read them.
import type { HotNeurons } from "../protocol/model.ts";

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

export function formatCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toPrecision(3)}B`;
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)}M`;
  return String(count);
}

/** "label   value" lines with the values in one column. */
export function formatRows(rows: readonly (readonly [string, string])[], indent = "  "): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${indent}${label.padEnd(width)}  ${value}`).join("\n");
}

/** Columns as wide as their widest cell, two blanks apart. */
export function formatTable(rows: readonly (readonly string[])[], indent = "  "): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(width(column))).join("  ");
  return rows.map((row) => `${indent}${line(row)}`.trimEnd()).join("\n");
}

export function formatPercent(share: number): string {
  const percent = 100 * share;
  return `${percent >= 10 ? percent.toFixed(0) : percent.toPrecision(2)} %`;
}

export function describeHot({ device, layers, neurons, vramBytes }: HotNeurons): string {
  return `${formatCount(neurons)} of ${layers} layers on ${device}, ${formatBytes(vramBytes)}`;
}
