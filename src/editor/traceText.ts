// The last completions as text for people, and one of them as a test case.
import type { NoneReason, Outcome } from "../completion/outcome.ts";
import type { Place } from "../completion/place.ts";
import type { GenerateStats } from "../protocol/model.ts";
import { type HistoryEntry, reasonSentences } from "./completionHistory.ts";
import { clockTimeWithSeconds, formatMs, formatSpeed } from "./phrases.ts";

const linesShown = 8;

const introduction = `# Last completions, newest first

This text is in memory only. It shows parts of your files: read it before you share it.
`;

/** `entries` oldest first. */
export function renderTrace(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return `${introduction}\nNothing was completed yet.\n`;
  return [introduction, ...entries.toReversed().map(renderEntry)].join("\n");
}

function renderEntry({ atMs, file, line, column, languageId, place, outcome }: HistoryEntry): string {
  const { trace, stats } = outcome;
  return [
    `## ${clockTimeWithSeconds(atMs)} ${file}:${line}:${column} (${languageId})`,
    "",
    summarizeOutcome(outcome),
    ...(place ? [describeTimings(outcome)] : []),
    ...(stats ? [describeStats(stats)] : []),
    ...(place ? describePlace(place) : []),
    ...(trace.rawText === null
      ? []
      : [`The model wrote (at most ${describeLines(trace.maxLines)} asked for):`, quote(trace.rawText)]),
    ...(trace.changedBy.length === 0 ? [] : [`Changed by: ${trace.changedBy.join(", ")}`]),
    ...(outcome.source === "none" ? [] : ["Shown:", quote(outcome.text)]),
    "",
  ].join("\n");
}

/** One line that says where the text came from, or why there is none. */
function summarizeOutcome({ source, reason, replaceAfter }: Outcome): string {
  if (source === "none") return `Nothing shown: ${explain(reason)}.`;
  const replaced = replaceAfter === 0 ? "" : `, replacing ${replaceAfter} characters after the cursor`;
  return `Source: ${sourceNames[source]}${replaced}.`;
}

function explain(reason: NoneReason | null): string {
  return reason === null ? "no reason given" : reasonSentences[reason];
}

const sourceNames = {
  typed: "the last suggestion, typed along",
  cache: "cache",
  inFlight: "a generation that was running",
  engine: "engine",
} as const;

function describeTimings({ timings }: Outcome): string {
  const { delayMs, queuedMs, ttftMs, totalMs } = timings;
  const first = ttftMs === null ? "no text" : `first text after ${formatMs(ttftMs)}`;
  const waited = `waited ${formatMs(delayMs)} for a pause in typing, ${formatMs(queuedMs)} in the queue`;
  return `Time: ${first}, total ${formatMs(totalMs)}; ${waited}.`;
}

function describeStats(stats: GenerateStats): string {
  const prefill = formatSpeed(stats.prefillTokensPerSecond, "tok/s");
  const decode = formatSpeed(stats.decodeTokensPerSecond, "tok/s");
  return `Tokens: ${stats.promptTokens} in the prompt (${stats.reusedTokens} reused), ${stats.generatedTokens} generated.\nSpeed: prefill ${prefill}, decode ${decode}.`;
}

function describePlace({ prefix, suffix }: Place): string[] {
  const before = prefix.split("\n").slice(-linesShown).join("\n");
  const after = suffix.split("\n").slice(0, linesShown).join("\n");
  return [
    `Before the cursor, end of ${prefix.length} characters:`,
    quote(before),
    `After the cursor, start of ${suffix.length} characters:`,
    quote(after),
  ];
}

function describeLines(count: number): string {
  return count === 1 ? "1 line" : `${count} lines`;
}

/** Blanks at the end of a line are drawn: they are often the reason for a strange completion. */
function quote(text: string): string {
  const draw = (blanks: string) => blanks.replaceAll(" ", "·").replaceAll("\t", "→");
  return text
    .split("\n")
    .map((line) => `    | ${line.replace(/[ \t]+$/, draw)}`.trimEnd())
    .join("\n");
}

/** What the log says of a completion: no text of the document. */
export function renderLogLine({ file, line, column, outcome }: HistoryEntry): string {
  const { source, reason, timings, stats } = outcome;
  const place = `${file}:${line}:${column}`;
  if (source === "none") return `${place} nothing: ${explain(reason)}`;
  const facts = [`total ${formatMs(timings.totalMs)}`];
  if (timings.ttftMs !== null) facts.unshift(`first text ${formatMs(timings.ttftMs)}`);
  if (stats) {
    const { promptTokens, reusedTokens, generatedTokens, decodeTokensPerSecond } = stats;
    facts.push(`${promptTokens} prompt tokens (${reusedTokens} reused)`, `${generatedTokens} generated`);
    facts.push(formatSpeed(decodeTokensPerSecond, "tok/s"));
  }
  return `${place} ${source}: ${facts.join(", ")}`;
}

/** JSON with the whole text that went in, for a bug report or a test. null: there is nothing to save. */
export function renderTestCase(entries: readonly HistoryEntry[]): string | null {
  const entry = entries.findLast(({ place }) => place !== null);
  if (!entry) return null;
  const { languageId, place, outcome } = entry;
  return `${JSON.stringify({ languageId, ...place, outcome }, null, 2)}\n`;
}
