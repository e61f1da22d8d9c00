// `hotpath report`: a benchmark record as a table, a page, a picture, or all that somebody else needs to verify it.
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { RunRecord } from "../benchmark/record/entries.ts";
import { readRecordToShow } from "../benchmark/record/recordFile.ts";
import { listRuns, listUnreadable, type RunListing } from "../benchmark/record/runs.ts";
import { quoted } from "../benchmark/report/benchArgs.ts";
import { writeBundle } from "../benchmark/report/bundle.ts";
import { chartThemes } from "../benchmark/report/charts/theme.ts";
import { renderCsv } from "../benchmark/report/csv.ts";
import { renderMarkdown } from "../benchmark/report/markdown.ts";
import { reportPictures } from "../benchmark/report/pictures.ts";
import { recommend } from "../benchmark/report/recommend.ts";
import { describeState } from "../benchmark/report/state.ts";
import { summarize } from "../benchmark/report/summary.ts";
import { plain, renderTable, renderText } from "../benchmark/report/text.ts";
import { standingOf } from "../benchmark/verify/verificationFile.ts";
import { AppError } from "../common/errors.ts";
import { wrap } from "../common/wrap.ts";
import { type Command, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { formatBytes } from "./format.ts";
import { recordOf } from "./runArgument.ts";

type Format = (record: RunRecord) => string | Promise<string>;

const formats: Readonly<Record<string, Format>> = {
  md: (record) => renderMarkdown(summarize(record)),
  csv: renderCsv,
  json: (record) => `${JSON.stringify(summarize(record))}\n`,
  html: async (record) => (await import("../benchmark/report/drawn.ts")).renderHtmlReport(record),
  svg: renderPicture,
};

export const reportCommand: Command = {
  name: "report",
  synopsis: "report RECORD|RUNID [--md|--csv|--json|--html|--svg] [--out FILE] [--budget MS] [--bundle DIR] | --list",
  summary: "Show a benchmark run, or write it as a page, a picture, or a bundle that others can verify.",
  details: [
    "--list        the runs of this machine, newest first",
    "--md          all tables as Markdown, with how to read them",
    "--csv         one row per generation",
    "--html        one page with pictures",
    "--svg         a picture: latency against size",
    "--json        all figures as one JSON object",
    "--out FILE    where to write it instead of printing it",
    "--budget MS   also say what to complete with, when 25 tokens may take this long",
    "--bundle DIR  the record, its reports, the command, and a script that does the run again",
  ],
  options: {
    ...Object.fromEntries(Object.keys(formats).map((name) => [name, { type: "boolean" as const }])),
    list: { type: "boolean" },
    out: { type: "string" },
    budget: { type: "string" },
    bundle: { type: "string" },
  },
  positionals: [0, 1],
  async run({ print, width }, [argument], options) {
    if (options.list) {
      print(await list(options.json === true, width));
      return exitStatus.ok;
    }
    if (argument === undefined) throw new UsageError("which run? --list names those of this machine");
    const file = recordOf(argument);
    if (typeof options.bundle === "string") {
      const folder = path.resolve(options.bundle);
      await writeBundle(folder, file);
      print(`${folder}: check it with hotpath verify ${quoted(options.bundle)}`);
      return exitStatus.ok;
    }
    const columns = typeof options.out === "string" ? Number.POSITIVE_INFINITY : width;
    const text = await render(await readRecordToShow(file), options, file, columns);
    if (typeof options.out === "string") write(options.out, text);
    else print(text.trimEnd());
    return exitStatus.ok;
  },
};

async function render(record: RunRecord, options: OptionValues, file: string, width: number): Promise<string> {
  const asked = Object.keys(formats).filter((name) => options[name] === true);
  const [name] = asked;
  if (asked.length > 1) throw new UsageError(`--${asked.join(" and --")}: one format at a time`);
  if (name !== undefined) return (await formats[name]?.(record)) ?? "";
  const summary = summarize(record);
  const standing = wrap(`This record is ${plain(await standingOf(file))}.`, width, 0);
  const told = `${renderText(summary, width)}\n\n${standing}\n`;
  if (options.budget === undefined) return told;
  const budget = Number(options.budget);
  if (!(budget > 0)) throw new UsageError(`--budget is "${String(options.budget)}"; it must be milliseconds`);
  return `${told}\n${wrap(plain(recommend(record, summary, budget).reason), width, 0)}\n`;
}

async function renderPicture(record: RunRecord): Promise<string> {
  const [picture] = reportPictures(record, summarize(record));
  if (!picture)
    throw new AppError("request/invalid", `run ${record.run.runId} has nothing to draw: no speed was measured`);
  const { renderSvg } = await import("../benchmark/report/drawn.ts");
  return renderSvg(picture.option(chartThemes.light), picture.size);
}

async function list(isJson: boolean, width: number): Promise<string> {
  const runs = await listRuns();
  if (isJson)
    return JSON.stringify(runs.map(({ run: { runId, startedAt }, ...rest }) => ({ runId, startedAt, ...rest })));
  for (const { runId, problem } of await listUnreadable())
    process.stderr.write(`hotpath: ${runId}: ${plain(problem.message)}\n`);
  if (runs.length === 0) return 'No run yet: "hotpath bench" makes one.';
  const columns = ["Run", "State", "Size", "Suites", "Subjects"].map((title) => ({ title, isText: true }));
  return renderTable({ title: "Runs", notes: [], columns, rows: runs.map(row) }, width);
}

function row({ run: { runId, plan }, status, left, bytes }: RunListing): string[] {
  const suites = plan.suites.map(({ id }) => id).join(", ");
  const [first = "", second, ...others] = plan.subjects.map(({ label }) => label);
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  const subjects = second === undefined ? first : `${first}, ${second}${more}`;
  return [runId, describeState(status, left), formatBytes(bytes), suites, subjects];
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new AppError("file/unwritable", `${file}: ${(cause as Error).message}`, { file }, cause);
  }
}
