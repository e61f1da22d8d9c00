import { reportCautions, reportFacts } from "./facts.ts";
import type { RunSummary } from "./summary.ts";
import type { ReportTable } from "./table.ts";
import { reportTables } from "./tables.ts";

/** Raised when the text for the same record changes: `hotpath verify` compares reports of its own version only. */
export const reportVersion = 3;

export function renderMarkdown(summary: RunSummary): string {
  const facts = reportFacts(summary).map(([label, value]) => `- **${label}:** ${escaped(value)}`);
  const cautions = reportCautions(summary).map((caution) => `- ${escaped(caution)}`);
  const parts = [
    `# Hotpath benchmark ${escaped(summary.runId)}`,
    facts.join("\n"),
    ...(cautions.length > 0 ? ["## To be known", cautions.join("\n")] : []),
    ...reportTables(summary).map(renderTable),
  ];
  return `${parts.join("\n\n")}\n`;
}

function renderTable({ title, notes, columns, rows }: ReportTable): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const head = [
    line(columns.map((column) => escaped(column.title))),
    line(columns.map(({ isText }) => (isText ? "---" : "---:"))),
  ];
  const body = rows.map((row) => line(row.map(escaped)));
  return [`## ${title}`, ...notes, [...head, ...body].join("\n")].join("\n\n");
}

/** Names of models and messages of servers are anybody's text. */
function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").replace(/[\\`*_<>|[\]&~]/g, "\\$&");
}
