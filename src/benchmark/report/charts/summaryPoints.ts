// What the charts draw of a run.
import type { RunRecord } from "../../record/entries.ts";
import type { Figure } from "../../statistics/quantile.ts";
import type { Rate } from "../../statistics/rates.ts";
import type { Method } from "../../subject.ts";
import type { SuiteId } from "../../suite.ts";
import { groupBy } from "../group.ts";
import { isMeasured, isRested, type TimedFigure } from "../speed.ts";
import type { RunSummary, SubjectSummary } from "../summary.ts";
import type { ChartPoint, Estimate, SampleSeries, SeriesMode } from "./points.ts";
import { modeOrder } from "./theme.ts";

export type LatencyName = Exclude<TimedFigure, "firstTokenMs" | "prefill" | "decode">;

/** Names of axes. */
export const latencyTitles: Readonly<Record<LatencyName, string>> = {
  e2e25Ms: "End to end at 25 tokens",
  e2e50Ms: "End to end at 50 tokens",
  e2e100Ms: "End to end at 100 tokens",
  ttftMs: "Time to first text",
  tpotMs: "Time per output token",
};

/** Opened, and not a step to a computed subject. */
export function drawnSubjects({ subjects }: RunSummary): (SubjectSummary & { readonly method: Method })[] {
  return subjects.filter(
    (subject): subject is SubjectSummary & { method: Method } => subject.method !== null && !subject.isPart,
  );
}

/** `suite`: of the quality; null: without. */
export function summaryPoints(summary: RunSummary, latency: LatencyName, suite: SuiteId | null): ChartPoint[] {
  return drawnSubjects(summary).map((subject) => ({
    id: subject.id,
    label: subject.label,
    method: subject.method,
    mode: modeOf(subject),
    family: subject.family,
    parameterCount: subject.facts?.parameterCount ?? null,
    latencyMs: estimateOf(subject.headline?.[latency]),
    quality: rateEstimate(subject.quality.find((own) => own.suite === suite)?.correct),
    isComputed: subject.computedFrom !== null,
  }));
}

export function modeOf({ method, facts }: Pick<SubjectSummary, "method" | "facts">): SeriesMode {
  return (method === "hot/cold" && modeOrder.find((mode) => mode === facts?.mode)) || null;
}

export function estimateOf(figure: Figure | null | undefined): Estimate | null {
  return figure
    ? { value: figure.typical, low: figure.interval?.low ?? null, high: figure.interval?.high ?? null }
    : null;
}

export function rateEstimate(rate: Rate | undefined): Estimate | null {
  return rate ? { value: rate.value, low: rate.interval?.low ?? null, high: rate.interval?.high ?? null } : null;
}

/**
 * Whole generations of the speed suites, as the tables count them; each prompt by itself, as long ones take longer. At
 * most `most` of each subject, evenly taken over the run.
 */
export function sampleSeries(record: RunRecord, summary: RunSummary, most: number): SampleSeries[] {
  const speed = new Set(summary.suites.filter(({ info }) => info.kind === "speed").map(({ info }) => info.id));
  const outputs = record.entries.filter((entry) => entry.type === "output");
  const samples = outputs.filter((output) => speed.has(output.suite) && isMeasured(output) && isRested(output));
  const bySubject = groupBy(samples, ({ subject }) => subject);
  return drawnSubjects(summary).flatMap((subject) => {
    const { id, label, method } = subject;
    const prompts = [...groupBy(bySubject.get(id) ?? [], ({ task }) => task)];
    return prompts.map(([task, all]) => {
      const count = Math.min(Math.floor(most / prompts.length), all.length);
      const taken = Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)]);
      const drawn = taken.flatMap((output) => (output ? [{ atMs: output.atMs, latencyMs: output.totalMs }] : []));
      const name = prompts.length > 1 ? `${label}, ${task}` : label;
      return { id: `${id} ${task}`, label: name, method, mode: modeOf(subject), samples: drawn };
    });
  });
}
