// The order of the rows and the columns of the results, apart from how they are drawn.

import { formatEstimate } from "../benchmark/report/charts/numbers.ts";
import { formatRange } from "../benchmark/report/numbers.ts";
import { type FigureId, figureKind, type ResultRow, type RunView } from "./runView.ts";

export type ColumnId = "label" | "method" | FigureId;

export interface Sorting {
  readonly column: ColumnId;
  readonly isDescending: boolean;
}

export const firstSorting: Sorting = { column: "label", isDescending: false };

/** Columns of a new panel: those that decide; the others are a choice away. */
const usualColumns: ReadonlySet<FigureId> = new Set([
  "parameters",
  "e2e25Ms",
  "tpotMs",
  "decode",
  "residentBytes",
  "gpuBytes",
]);

/** null in `chosen`: the user has not chosen yet. */
export function shownColumns(present: readonly FigureId[], chosen: readonly FigureId[] | null): FigureId[] {
  // What a line and what a body of the starter set is worth are two things; its share of all is neither.
  const isUsual = (id: FigureId) => usualColumns.has(id) || /^(quality:|measure:starter:(body|line)$)/.test(id);
  return present.filter((id) => (chosen ? chosen.includes(id) : isUsual(id)));
}

/** Rows without the figure stand last in both directions; rows with equal figures keep their order. */
export function sortRows(rows: readonly ResultRow[], { column, isDescending }: Sorting): ResultRow[] {
  const sign = isDescending ? -1 : 1;
  if (column === "label" || column === "method") {
    return rows.toSorted((a, b) => sign * a[column].localeCompare(b[column], "en", { numeric: true }));
  }
  return rows.toSorted((a, b) => {
    const [left, right] = [a.figures[column]?.value, b.figures[column]?.value];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    return sign * (left - right);
  });
}

/** A click on the column that is sorted by turns it around. */
export function nextSorting(current: Sorting, column: ColumnId): Sorting {
  return { column, isDescending: current.column === column && !current.isDescending };
}

/** A figure with its interval; a dash where nothing was measured. */
export function cellText(row: ResultRow, id: FigureId, quality: RunView["quality"]): string {
  const figure = row.figures[id];
  return figure ? formatEstimate(figure, figureKind(id, quality).format) : "–";
}

/** The same in two lines: narrow columns leave room for more of them. */
export function cellLines(
  row: ResultRow,
  id: FigureId,
  quality: RunView["quality"],
): { value: string; interval: string } {
  const figure = row.figures[id];
  if (!figure) return { value: "–", interval: "" };
  const { format } = figureKind(id, quality);
  const { value, low, high } = figure;
  return { value: format(value), interval: low === null || high === null ? "" : formatRange({ low, high }, format) };
}
