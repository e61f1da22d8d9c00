// What tables of a report are made of.
import type { Figure } from "../statistics/quantile.ts";
import { formatInterval } from "./numbers.ts";

export interface ReportTable {
  readonly title: string;
  /** How its figures are to be read; may be empty. */
  readonly notes: readonly string[];
  /** Texts are left-aligned, figures right-aligned. */
  readonly columns: readonly { readonly title: string; readonly isText: boolean }[];
  /** "" where there is nothing to tell. Text of a record may be anything: escape it. */
  readonly rows: readonly (readonly string[])[];
}

export interface Column<T> {
  readonly title: string;
  readonly isText?: boolean;
  readonly cell: (row: T) => string | null;
}

/** Without columns that have nothing to tell in any row. */
export function table<T>(
  title: string,
  notes: readonly string[],
  rows: readonly T[],
  columns: readonly Column<T>[],
): ReportTable {
  const told = columns.filter(({ cell }) => rows.some((row) => cell(row) !== null));
  return {
    title,
    notes,
    columns: told.map((column) => ({ title: column.title, isText: column.isText === true })),
    rows: rows.map((row) => told.map(({ cell }) => cell(row) ?? "")),
  };
}

/** "42.0 ms (40.1 to 44.2 ms)" */
export function typical(figure: Figure | null, format: (value: number) => string): string | null {
  return figure && `${format(figure.typical)}${formatInterval(figure.interval, format)}`;
}

export function maybe<T>(value: T | null | undefined, format: (value: T) => string): string | null {
  return value === null || value === undefined ? null : format(value);
}
