// A run as one HTML file that needs nothing else: pictures and tables, light and dark, no script.
import type { RunRecord } from "../record/entries.ts";
import { type ChartTheme, chartThemes } from "./charts/theme.ts";
import { reportCautions, reportFacts } from "./facts.ts";
import { type Picture, reportPictures } from "./pictures.ts";
import { summarize } from "./summary.ts";
import { renderSvg } from "./svg.ts";
import type { ReportTable } from "./table.ts";
import { reportTables } from "./tables.ts";

export function renderHtmlReport(record: RunRecord): string {
  const summary = summarize(record);
  const title = `Hotpath benchmark ${summary.runId}`;
  const facts = reportFacts(summary).map(([label, value]) => markup`<dt>${label}</dt><dd>${value}</dd>`);
  const cautions = reportCautions(summary).map((caution) => markup`<li>${caution}</li>`);
  const known = cautions.length > 0 ? markup`<h2>To be known</h2><ul>${cautions}</ul>` : empty;
  const pictures = reportPictures(record, summary).map(renderPicture);
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(styles)}</style>
</head>
<body>
<h1>${title}</h1>
<dl>${facts}</dl>
${known}
${pictures}
${reportTables(summary).map(renderTable)}
</body>
</html>
`.text;
}

function renderPicture({ name, title, size, option }: Picture): Markup {
  const svg = renderSvg(option(chartThemes.light), size, name);
  return markup`<figure aria-label="${title}"><figcaption>${title}</figcaption>${new Markup(withVariables(svg))}</figure>\n`;
}

function renderTable({ title, notes, columns, rows }: ReportTable): Markup {
  const kind = (index: number) => (columns[index]?.isText ? "text" : "figure");
  const head = columns.map((column, index) => markup`<th scope="col" class="${kind(index)}">${column.title}</th>`);
  const body = rows.map(
    (row) => markup`<tr>${row.map((cell, index) => markup`<td class="${kind(index)}">${cell}</td>`)}</tr>\n`,
  );
  const said = notes.map((note) => markup`<p>${note}</p>`);
  return markup`<section><h2>${title}</h2>${said}
<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div></section>\n`;
}

/** Text that is markup already; everything else is escaped where it is put in. */
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const empty = new Markup("");

function markup(parts: TemplateStringsArray, ...values: readonly (string | Markup | readonly Markup[])[]): Markup {
  const shown = values.map((value) => {
    if (typeof value === "string") return escapeHtml(value);
    return value instanceof Markup ? value.text : value.map(({ text }) => text).join("");
  });
  return new Markup(String.raw({ raw: parts }, ...shown));
}

/** Names of models and messages of servers are anybody's text. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}

/** The colours of a theme by the name of the variable that holds them on the page. */
function colorVariables({
  background,
  foreground,
  muted,
  gridLine,
  methods,
}: ChartTheme): [name: string, color: string][] {
  const ofMethods = Object.entries(methods).map(([method, color]): [string, string] => [
    `--${method.toLowerCase().replace("/", "-")}`,
    color,
  ]);
  return [
    ["--background", background],
    ["--foreground", foreground],
    ["--muted", muted],
    ["--grid", gridLine],
    ...ofMethods,
  ];
}

/** A picture drawn in the light theme follows the page's theme: each colour of a theme stands for one thing. */
function withVariables(svg: string): string {
  const names = new Map(colorVariables(chartThemes.light).map(([name, color]) => [color, name]));
  return svg.replaceAll(/\b(fill|stroke)="(#[0-9a-f]{6})"/g, (whole, attribute: string, color: string) => {
    const name = names.get(color);
    return name === undefined ? whole : `${attribute}="var(${name})"`;
  });
}

function declarations(theme: ChartTheme): string {
  return colorVariables(theme)
    .map(([name, color]) => `${name}: ${color};`)
    .join(" ");
}

const styles = `
:root { color-scheme: light dark; ${declarations(chartThemes.light)} }
@media (prefers-color-scheme: dark) { :root { ${declarations(chartThemes.dark)} } }
@media (prefers-contrast: more) and (prefers-color-scheme: light) { :root { ${declarations(chartThemes["contrast-light"])} } }
@media (prefers-contrast: more) and (prefers-color-scheme: dark) { :root { ${declarations(chartThemes["contrast-dark"])} } }
body { max-width: 860px; margin: 0 auto; padding: 24px 16px 48px; color: var(--foreground); background: var(--background);
  font: 15px/1.5 ${chartThemes.light.fontFamily}; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 1.8em 0 0.4em; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 16px; margin: 0; }
dt, section p { color: var(--muted); } dd, section p { margin: 0; }
figure { margin: 1.8em 0; } figcaption { font-weight: 600; margin-bottom: 6px; }
svg { display: block; max-width: 100%; height: auto; }
.scroll { overflow-x: auto; margin-top: 8px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: 4px 14px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }
.figure { text-align: right; white-space: nowrap; }
td.text { min-width: 7em; max-width: 24em; overflow-wrap: anywhere; }
@page { size: landscape; margin: 12mm; }
@media print {
  body { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  table { width: 100%; font-size: 9px; }
  th, td { padding-right: 6px; }
  td.text { min-width: 4.5em; }
  .figure { white-space: normal; }
  h2, dl, section > p { break-after: avoid; }
  figure, tr { break-inside: avoid; }
}
`;
