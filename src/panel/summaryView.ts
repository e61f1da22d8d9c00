// Makes of a run's summary what the panel shows.

import type { FailureEntry, RunRecord } from "../benchmark/record/entries.ts";
import type { RunStatus } from "../benchmark/record/resume.ts";
import type { Estimate } from "../benchmark/report/charts/points.ts";
import {
  drawnSubjects,
  estimateOf,
  modeOf,
  rateEstimate,
  sampleSeries,
} from "../benchmark/report/charts/summaryPoints.ts";
import { reportFacts } from "../benchmark/report/facts.ts";
import { counted } from "../benchmark/report/state.ts";
import { afterRest, type RunSummary, type SubjectSummary, unsharedPrompts } from "../benchmark/report/summary.ts";
import { comparisonTable, flipTable } from "../benchmark/report/tables.ts";
import type { Figure } from "../benchmark/statistics/quantile.ts";
import type { SubjectFacts } from "../benchmark/subject.ts";
import type { SuiteInfo } from "../benchmark/suite.ts";
import { sentence } from "../common/errors.ts";
import { totalBytes } from "../protocol/model.ts";
import {
  type FigureId,
  lineFigure,
  measureFigure,
  percentileFigure,
  qualityFigure,
  type ResultRow,
  type RunView,
  type ShownWarning,
} from "./runView.ts";

/** More of a subject would not be told apart in a picture, and would take time to send and to draw. */
const samplesDrawn = 300;

export interface ViewContext {
  readonly state: RunStatus;
  /** What to do about a failure. */
  readonly adviceOn: (failure: FailureEntry) => string;
}

export function viewOf(record: RunRecord, summary: RunSummary, { state, adviceOn }: ViewContext): RunView {
  const facts = new Map(reportFacts(summary));
  if (record.run.environment.gpus.length === 0) facts.set("GPU", "no GPU"); // Without its label "none" says nothing.
  const machine = ["Processor", "Memory", "GPU", "System"].flatMap((label) => facts.get(label) ?? []);
  const models = new Set(record.run.plan.subjects.filter(({ kind }) => kind === "model").map(({ id }) => id));
  const quality = summary.suites.filter(({ info }) => info.kind === "quality");
  const samples = sampleSeries(record, summary, samplesDrawn);
  return {
    runId: summary.runId,
    startedAt: summary.startedAt,
    state,
    left: summary.left,
    machine: machine.join("; "),
    isolation: facts.get("Code ran in") ?? null,
    questions: Object.fromEntries(summary.suites.map(({ info }) => [info.title, askedBy(info, summary)])),
    rows: drawnSubjects(summary).map((subject) => rowOf(subject, summary, models.has(subject.id))),
    quality: quality.map(({ info: { id, title, protocol } }) => ({ id, title, protocol })),
    pairs: [comparisonTable(summary), flipTable(summary)].filter(({ rows }) => rows.length > 0),
    warnings: warningsOf(summary, adviceOn),
    samples,
    sampleCount: drawnSubjects(summary)
      .filter(({ computedFrom }) => computedFrom === null)
      .reduce((sum, { speed }) => sum + speed.reduce(countSamples, 0), 0),
  };
}

function countSamples(sum: number, { all }: SubjectSummary["speed"][number]): number {
  return sum + all.samples;
}

function rowOf(
  subject: ReturnType<typeof drawnSubjects>[number],
  { sharedPrompts }: RunSummary,
  canBeUsed: boolean,
): ResultRow {
  const { id, label, method, family, facts, computedFrom } = subject;
  return {
    id,
    label,
    method,
    mode: modeOf(subject),
    family,
    fileSha256: facts?.sha256 ?? null,
    settings: facts ? settingsOf(facts) : "",
    isComputed: computedFrom !== null,
    figures: figuresOf(subject),
    notes: notesOn(subject, sharedPrompts),
    canBeUsed,
  };
}

/** Figures of speed suites are of the shared prompts. */
function askedBy({ kind, protocol, promptsSha256 }: SuiteInfo, { sharedPrompts }: RunSummary): string {
  return [protocol, promptsSha256, ...(kind === "speed" ? sharedPrompts : [])].join(" ");
}

function settingsOf({ mode, placement, threads, contextLength, server }: SubjectFacts): string {
  const parts = [
    mode,
    placement ?? server,
    threads === null ? null : `${threads} threads`,
    contextLength === null ? null : `context ${contextLength}`,
  ];
  return parts.filter((part) => part !== null).join(", ");
}

function figuresOf(subject: SubjectSummary): ResultRow["figures"] {
  const { facts, headline: speed, quality, typing } = subject;
  const rested = afterRest(subject);
  const all: readonly (readonly [FigureId, Estimate | null])[] = [
    ["parameters", exactly(facts?.parameterCount)],
    ["e2e25Ms", estimateOf(speed?.e2e25Ms)],
    ["e2e50Ms", estimateOf(speed?.e2e50Ms)],
    ["e2e100Ms", estimateOf(speed?.e2e100Ms)],
    ["ttftMs", estimateOf(speed?.ttftMs)],
    ["tpotMs", estimateOf(speed?.tpotMs)],
    ["decode", estimateOf(speed?.decode)],
    ["prefill", estimateOf(speed?.prefill)],
    ["fileBytes", exactly(facts?.fileBytes)],
    ["residentBytes", exactly(facts?.residentBytes)],
    ["gpuBytes", exactly(facts && bytesOnGpus(facts))],
    ["bytesPerToken", exactly(speed?.bytesPerToken)],
    ["bandwidth", exactly(speed?.bytesPerSecond)],
    ["bandwidthShare", exactly(speed?.bandwidthShare)],
    ["activeShare", exactly(speed?.activeShare)],
    ["joulesPerToken", exactly(speed?.joulesPerToken)],
    ["fitsInVram", exactly(facts && facts.fitsInVram !== null ? Number(facts.fitsInVram) : null)],
    ["keystroke", estimateOf(typing?.latencyMs)],
    ["restTtftMs", estimateOf(rested?.ttftMs)],
    ["restE2e25Ms", estimateOf(rested?.e2e25Ms)],
    ...percentilesOf("ttftMs", speed?.ttftMs),
    ...percentilesOf("e2e25Ms", speed?.e2e25Ms),
    ...percentilesOf("keystroke", typing?.latencyMs),
    ...quality.map(({ suite, correct }) => [qualityFigure(suite), rateEstimate(correct)] as const),
    ...quality.map(({ suite, usableLineMs }) => [lineFigure(suite), estimateOf(usableLineMs)] as const),
    ...quality.flatMap(({ suite, measures }) =>
      Object.entries(measures).map(([name, share]) => [measureFigure(suite, name), exactly(share)] as const),
    ),
  ];
  return Object.fromEntries(all.flatMap(([id, estimate]) => (estimate ? [[id, estimate]] : [])));
}

function exactly(value: number | null | undefined): Estimate | null {
  return value === null || value === undefined ? null : { value, low: null, high: null };
}

/** null: unknown, or no GPU has a part of it. */
function bytesOnGpus({ gpuMemory }: SubjectFacts): number | null {
  if (!gpuMemory || gpuMemory.length === 0) return null;
  return gpuMemory.reduce((sum, memory) => sum + totalBytes(memory), 0);
}

function percentilesOf(id: Parameters<typeof percentileFigure>[0], figure: Figure | null | undefined) {
  const names = ["p50", "p95", "p99"] as const;
  return names.map((name) => [percentileFigure(id, name), exactly(figure?.[name])] as const);
}

/** What a figure alone does not say. */
function notesOn(subject: SubjectSummary, sharedPrompts: readonly string[]): string[] {
  const { gain, quality, facts } = subject;
  const disturbed = subject.speed.reduce((sum, { all }) => sum + all.disturbed, 0);
  const truncated = quality.reduce((sum, own) => sum + own.truncated, 0);
  const notes: string[] = [];
  if (facts?.placement) notes.push(facts.placement);
  if (unsharedPrompts(subject, sharedPrompts).length > 0)
    notes.push(`Its times are of what all subjects were asked: ${sharedPrompts.join(", ")}.`);
  if (gain?.measured) {
    const [measured, ceiling] = [gain.measured.value.toFixed(2), gain.ceiling.toFixed(2)];
    notes.push(
      `${measured} times as fast as ${gain.against}; reading fewer bytes alone would make it ${ceiling} times.`,
    );
  }
  if (disturbed > 0)
    notes.push(`Left out: ${counted(disturbed, "sample")} with something else running in the engine at the time.`);
  if (truncated > 0) notes.push(`Cut at the most tokens: ${counted(truncated, "answer")}.`);
  return notes;
}

/** Failures first; what is said several times is told once. */
function warningsOf(summary: RunSummary, adviceOn: ViewContext["adviceOn"]): ShownWarning[] {
  const labelOf = (subject: string | null) => summary.subjects.find(({ id }) => id === subject)?.label ?? subject;
  const failures = summary.failures.map((failure): ShownWarning => {
    const suite = summary.suites.find(({ info }) => info.id === failure.suite)?.info.title ?? failure.suite;
    const where = suite === null ? "" : `${suite}: `;
    const told = { message: sentence(`${where}${failure.message}`), advice: adviceOn(failure) };
    return { ...told, subject: labelOf(failure.subject), isFailure: true };
  });
  const warnings = summary.warnings.map(
    ({ message, advice, subject }): ShownWarning => ({
      message: sentence(message),
      advice,
      subject: labelOf(subject),
      isFailure: false,
    }),
  );
  const told = new Map([...failures, ...warnings].map((warning) => [JSON.stringify(warning), warning]));
  return [...told.values()];
}
