// A run for the terminal: the tables that answer the question, and where the others are.
import { reportCautions, reportFacts } from "./facts.ts";
import type { RunSummary } from "./summary.ts";
import { comparisonTable, qualityTable, type ReportTable, speedTable } from "./tables.ts";

export function renderText(summary: RunSummary): string {
  const facts = reportFacts(summary);
  const width = Math.max(...facts.map(([label]) => label.length));
  const cautions = reportCautions(summary).map((caution) => `! ${plain(caution)}`);
  const tables = [
    pick(speedTable(summary), ["Suite", "Subject", "Samples", "TTFT", "TPOT", "E2E@25", "Decode tok/s"]),
    pick(qualityTable(summary), ["Suite", "Subject", "Samples", "Correct", "Timeouts"]),
    pick(comparisonTable(summary), ["Suite", "Subject", "Against", "Lost", "Won", "Difference", "p"]),
  ];
  return [
    facts.map(([label, value]) => `${label.padEnd(width)}  ${plain(value)}`).join("\n"),
    ...(cautions.length > 0 ? [cautions.join("\n")] : []),
    ...tables.filter(({ rows }) => rows.length > 0).map(renderTable),
  ].join("\n\n");
}

/** What fits in a terminal. */
function pick({ columns, rows, ...table }: ReportTable, titles: readonly string[]): ReportTable {
  const indexes = columns.flatMap(({ title }, index) => (titles.includes(title) ? [index] : []));
  const of = <T>(cells: readonly T[]) => cells.filter((_, index) => indexes.includes(index));
  return { ...table, columns: of(columns), rows: rows.map(of) };
}

function renderTable({ title, columns, rows }: ReportTable): string {
  const cells = [columns.map((column) => column.title), ...rows.map((row) => row.map(plain))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) =>
        columns[index]?.isText ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [title, ...cells.map((row) => `  ${line(row)}`)].join("\n");
}

/** Names and messages are anybody's text; in a terminal, control characters are commands. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, " ");
}
