// What outputs were worth.
import type { OutputEntry, ScoreEntry } from "../record/entries.ts";
import { stepKey } from "../record/resume.ts";
import { describeSamples, type Figure } from "../statistics/quantile.ts";
import { type Rate, rateOf, shareOfTrue } from "../statistics/rates.ts";
import type { SuiteId } from "../suite.ts";
import { meanPassAtK } from "../suites/humanEval/passAtK.ts";
import { groupBy } from "./group.ts";

export interface QualitySummary {
  readonly suite: SuiteId;
  readonly correct: Rate;
  /** "pass@10": mean over tasks; for each of 1, 10 and 100 that has as many samples. Empty for one sample each. */
  readonly passAtK: Readonly<Record<string, number>>;
  /** Share of further measures, each of the samples that have it: "strict", "exact-match", "body". */
  readonly measures: Readonly<Record<string, number>>;
  /** Counts of samples. truncated: the text was cut at the most tokens; outOfTime: at the most time. */
  readonly truncated: number;
  readonly outOfTime: number;
  readonly timeouts: number;
  readonly syntaxErrors: number;
  readonly ttftMs: Figure | null;
  /**
   * Of tasks that ask for one line: from the request to its end, which is when an editor can show it. Without lines that
   * did not end, and empty ones.
   */
  readonly usableLineMs: Figure | null;
  /** Of the other tasks: from the request to the end of the answer. */
  readonly totalMs: Figure | null;
}

/** null: nothing was scored. */
export function qualityOf(
  suite: SuiteId,
  scores: readonly ScoreEntry[],
  outputs: readonly OutputEntry[],
): QualitySummary | null {
  const correct = rateOf(clustersOf(scores, ({ score }) => score.isCorrect));
  if (!correct) return null;
  const names = [...new Set(scores.flatMap(({ score }) => Object.keys(score.measures)))];
  const measure = (name: string) => shareOfTrue(scores.flatMap(({ score }) => score.measures[name] ?? []));
  const scored = new Set(scores.map(stepKey));
  const counted = outputs.filter((output) => !output.isWarmUp && scored.has(stepKey(output)));
  const undisturbed = counted.filter(({ overlaps }) => overlaps === 0);
  const lineTasks = new Set(scores.filter(isOfLine).map(({ task }) => task));
  const lines = undisturbed.filter(({ task }) => lineTasks.has(task));
  const others = undisturbed.filter(({ task }) => !lineTasks.has(task));
  const count = <T>(items: readonly T[], is: (item: T) => boolean) => items.filter(is).length;
  return {
    suite,
    correct,
    passAtK: passAtKOf(scores),
    measures: Object.fromEntries(names.map((name) => [name, measure(name)])),
    truncated: count(counted, ({ stopReason }) => stopReason === "tokens"),
    outOfTime: count(counted, ({ stopReason }) => stopReason === "time"),
    timeouts: count(scores, ({ score }) => score.verdict === "timeout"),
    syntaxErrors: count(scores, ({ score }) => score.verdict === "syntax-error"),
    ttftMs: describeSamples(undisturbed.map(({ ttftMs }) => ttftMs)),
    usableLineMs: describeSamples(lines.filter(isUsableLine).map(({ totalMs }) => totalMs)),
    totalMs: describeSamples(others.map(({ totalMs }) => totalMs)),
  };
}

/** The starter set asks for both, and counts its lines apart. */
function isOfLine({ suite, score }: ScoreEntry): boolean {
  return suite === "infill-single" || score.measures.line !== undefined;
}

function isUsableLine({ stopReason, text }: OutputEntry): boolean {
  return stopReason !== "tokens" && stopReason !== "time" && text !== null && text.trim() !== "";
}

function passAtKOf(scores: readonly ScoreEntry[]): Record<string, number> {
  const counts = [...groupBy(scores, ({ task }) => task).values()].map((samples) => ({
    samples: samples.length,
    correct: samples.filter(({ score }) => score.isCorrect).length,
  }));
  if (!counts.some(({ samples }) => samples > 1)) return {};
  return Object.fromEntries(
    [1, 10, 100].flatMap((k) => {
      const chance = meanPassAtK(counts, k);
      return chance === null ? [] : [[`pass@${k}`, chance]];
    }),
  );
}

export function clustersOf<T>(scores: readonly ScoreEntry[], value: (entry: ScoreEntry) => T): T[][] {
  const clusters = groupBy(scores, ({ cluster }) => cluster);
  return [...clusters.values()].map((entries) => entries.map(value));
}
