// A run for the terminal: the tables that answer the question.
import { wrap } from "../../common/wrap.ts";
import { reportCautions, reportFacts } from "./facts.ts";
import { speedTable } from "./speedTables.ts";
import type { RunSummary } from "./summary.ts";
import type { ReportTable } from "./table.ts";
import { comparisonTable, qualityTable, typingTable } from "./tables.ts";

/** `width`: columns of the terminal. */
export function renderText(summary: RunSummary, width = Number.POSITIVE_INFINITY): string {
  const facts = reportFacts(summary);
  const cautions = reportCautions(summary).map((caution) => wrap(`! ${plain(caution)}`, width, 2));
  const tables = [
    pick(speedTable(summary), ["Suite", "Subject", "Samples", "TTFT", "TPOT", "E2E@25", "Decode tok/s"]),
    pick(qualityTable(summary), ["Suite", "Subject", "Samples", "Correct", "Timeouts", "Usable line"]),
    pick(comparisonTable(summary), ["Suite", "Subject", "Against", "Lost", "Won", "Difference", "p"]),
    pick(typingTable(summary), ["Subject", "Keystrokes", "Answered", "Shown", "Latency", "p95"]),
  ];
  return [
    labelled(facts, "", width),
    ...(cautions.length > 0 ? [cautions.join("\n")] : []),
    ...tables.filter(({ rows }) => rows.length > 0).map((table) => renderTable(table, width)),
  ].join("\n\n");
}

/** What fits in a terminal. */
function pick({ columns, rows, ...table }: ReportTable, titles: readonly string[]): ReportTable {
  const indexes = columns.flatMap(({ title }, index) => (titles.includes(title) ? [index] : []));
  const of = <T>(cells: readonly T[]) => cells.filter((_, index) => indexes.includes(index));
  return { ...table, columns: of(columns), rows: rows.map(of) };
}

/** As columns, or where these are wider than the terminal one under the other. */
export function renderTable({ title, columns, rows }: ReportTable, width: number): string {
  const cells = [columns.map((column) => column.title), ...rows.map((row) => row.map(plain))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) =>
        columns[index]?.isText ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const lines = cells.map((row) => `  ${line(row)}`);
  if (lines.every(({ length }) => length <= width)) return [title, ...lines].join("\n");
  const blocks = rows.map((row) => {
    const told = columns.map((column, index) => [column.title, row[index] ?? ""] as const);
    return labelled(told, "  ", width);
  });
  return `${title}\n${blocks.join("\n\n")}`;
}

/** One under the other, without those of which there is nothing to tell. */
function labelled(rows: readonly (readonly [label: string, value: string])[], indent: string, width: number): string {
  const labelWidth = Math.max(...rows.map(([label]) => label.length));
  return rows
    .filter(([, value]) => value !== "")
    .map(([label, value]) => `${indent}${label.padEnd(labelWidth)}  ${plain(value)}`)
    .map((line) => wrap(line, width, indent.length + labelWidth + 2))
    .join("\n");
}

/** Names and messages are anybody's text; in a terminal, control characters are commands. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, " ");
}
