// A run as tables of text: what Markdown, HTML and the terminal show, each in its own way.
import { totalBytes } from "../../protocol/model.ts";
import { type Figure, leastForInterval } from "../statistics/quantile.ts";
import type { SubjectFacts } from "../subject.ts";
import type { Basis, QualityComparison } from "./compare.ts";
import { halfPrecision } from "./gain.ts";
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatMs,
  formatNumber,
  formatPoints,
  formatShare,
} from "./numbers.ts";
import { isRested, type SpeedFigures } from "./speed.ts";
import { counted } from "./state.ts";
import { type RunSummary, type SubjectSummary, unsharedPrompts } from "./summary.ts";

export interface ReportTable {
  readonly title: string;
  /** How its figures are to be read; may be empty. */
  readonly notes: readonly string[];
  /** Texts are left-aligned, figures right-aligned. */
  readonly columns: readonly { readonly title: string; readonly isText: boolean }[];
  /** "" where there is nothing to tell. Text of a record may be anything: escape it. */
  readonly rows: readonly (readonly string[])[];
}

interface Column<T> {
  readonly title: string;
  readonly isText?: boolean;
  readonly cell: (row: T) => string | null;
}

/** Without tables that would be empty, and columns that would. */
export function reportTables(summary: RunSummary): ReportTable[] {
  const tables = [
    subjectTable(summary),
    speedTable(summary),
    percentileTable(summary),
    taskTable(summary),
    gainTable(summary),
    qualityTable(summary),
    comparisonTable(summary),
    flipTable(summary),
    typingTable(summary),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

export function subjectTable({ subjects }: RunSummary): ReportTable {
  const notes = [
    "Memory: main memory that weights, KV cache and buffers need. Weights count once: those that were packed anew are not needed in the file.",
    ...(subjects.some(({ facts }) => gpuMemory(facts) !== null)
      ? ["GPU memory: the subject's own then, without what drivers take for themselves."]
      : []),
  ];
  return table("Subjects", notes, subjects, [
    label,
    { title: "Method", isText: true, cell: ({ method }) => method },
    { title: "Parameters", cell: ({ facts }) => maybe(facts?.parameterCount, formatCount) },
    { title: "Format", isText: true, cell: ({ facts }) => facts?.quantization ?? null },
    { title: "File", cell: ({ facts }) => maybe(facts?.fileBytes, formatBytes) },
    {
      title: "Bits per weight",
      cell: ({ bytesPerWeight }) => maybe(bytesPerWeight, (bytes) => formatNumber(8 * bytes)),
    },
    { title: "Runs on", isText: true, cell: ({ facts }) => facts?.placement ?? facts?.server ?? null },
    {
      title: "Fits in VRAM",
      isText: true,
      cell: ({ facts }) => maybe(facts?.fitsInVram, (fits) => (fits ? "yes" : "no")),
    },
    { title: "Memory", cell: ({ facts }) => maybe(facts?.residentBytes, formatBytes) },
    { title: "GPU memory", isText: true, cell: ({ facts }) => gpuMemory(facts) },
    { title: "KV cache", cell: ({ facts }) => maybe(facts?.kvBytes, formatBytes) },
    { title: "Hot neurons", cell: ({ facts }) => maybe(facts?.hot?.vramBytes, formatBytes) },
    { title: "Loaded in", cell: ({ facts }) => maybe(facts?.loadMs, formatMs) },
    { title: "Context", cell: ({ facts }) => maybe(facts?.contextLength, String) },
    { title: "Threads", cell: ({ facts }) => maybe(facts?.threads, String) },
  ]);
}

/** "2.10 GB on Vulkan0" */
function gpuMemory(facts: SubjectFacts | null): string | null {
  const parts = (facts?.gpuMemory ?? []).map((memory) => `${formatBytes(totalBytes(memory))} on ${memory.device}`);
  return parts.length > 0 ? parts.join(", ") : null;
}

const tasksListed = 100;

interface SpeedRow {
  readonly subject: SubjectSummary;
  readonly suite: string;
  readonly task: string;
  readonly figures: SpeedFigures;
}

const timeColumns: readonly Column<SpeedRow>[] = [
  { title: "Samples", cell: ({ figures }) => String(figures.samples) },
  { title: "TTFT", cell: ({ figures }) => typical(figures.ttftMs, formatMs) },
  { title: "First token", cell: firstToken },
  { title: "TPOT", cell: ({ figures }) => typical(figures.tpotMs, formatMs) },
  { title: "E2E@25", cell: ({ figures }) => typical(figures.e2e25Ms, formatMs) },
  { title: "E2E@50", cell: ({ figures }) => typical(figures.e2e50Ms, formatMs) },
  { title: "E2E@100", cell: ({ figures }) => typical(figures.e2e100Ms, formatMs) },
];

const suiteColumn: Column<SpeedRow> = { title: "Suite", isText: true, cell: ({ suite }) => suite };
const subjectColumn: Column<SpeedRow> = { title: "Subject", isText: true, cell: ({ subject }) => subject.label };

export function speedTable(summary: RunSummary): ReportTable {
  const rows = speedRows(summary);
  const disturbed = rows.reduce((sum, { figures }) => sum + figures.disturbed, 0);
  const isShort = ({ figures: { ttftMs } }: SpeedRow) => ttftMs?.interval === null;
  const notes = [
    "Medians with their 95 % intervals; of several prompts the mean of their medians, without those after a rest. TTFT: from the request to the first text; the first token is told where it came at another time. TPOT: per token after the first. E2E@n: from the request to the nth token. Prefill and decode: by the engine's clock.",
    "Active: neurons computed, of all. Read per token: weights alone; read per second: that over TPOT; of bandwidth: the share of what this machine's memory was measured to give. J per token: of this machine's processor during the whole answer, its prompt included. On the front: no other has as many parameters and comes to the 25th token sooner.",
    ...(rows.some(isShort)
      ? [
          `Where there is no interval there were too few samples of a prompt, of which ${leastForInterval} rounds or more give one, or its ends are written as the median is.`,
        ]
      : []),
    ...(disturbed > 0
      ? [`Left out: ${counted(disturbed, "sample")} with something else running in the engine at the time.`]
      : []),
    ...(rows.some(({ figures }) => figures.isBytesPerTokenEstimated)
      ? ["~: a dense model is taken to read its whole file for every token; what is read per second follows from that."]
      : []),
    ...rows.flatMap((row) => lackOf(row, rows)),
    ...(summary.subjects.some((subject) => unsharedPrompts(subject, summary.sharedPrompts).length > 0)
      ? [
          `On the front, by gains, in pictures and for recommendations subjects are compared by what all were asked: ${summary.sharedPrompts.join(", ")}.`,
        ]
      : []),
  ];
  return table("Speed", notes, rows, [
    suiteColumn,
    subjectColumn,
    ...timeColumns,
    { title: "Prefill tok/s", cell: ({ figures }) => maybe(figures.prefill?.typical, formatNumber) },
    { title: "Decode tok/s", cell: ({ figures }) => maybe(figures.decode?.typical, formatNumber) },
    { title: "Active", cell: ({ figures }) => maybe(figures.activeShare, formatShare) },
    {
      title: "Read per token",
      cell: ({ figures }) =>
        maybe(figures.bytesPerToken, (bytes) => `${figures.isBytesPerTokenEstimated ? "~" : ""}${formatBytes(bytes)}`),
    },
    { title: "Read per second", cell: ({ figures }) => maybe(figures.bytesPerSecond, formatBytes) },
    { title: "Of bandwidth", cell: ({ figures }) => maybe(figures.bandwidthShare, formatShare) },
    { title: "J per token", cell: ({ figures }) => maybe(figures.joulesPerToken, formatNumber) },
    { title: "On the front", isText: true, cell: ({ subject }) => (subject.isOnSizeFront ? "yes" : null) },
  ]);
}

/** What a mean of fewer medians than others have is a mean of. */
function lackOf({ subject, suite }: SpeedRow, rows: readonly SpeedRow[]): string[] {
  const promptsOf = (row: Pick<SpeedRow, "subject">) =>
    row.subject.speed
      .flatMap((summary) => (summary.suite === suite ? summary.tasks.filter(isRested) : []))
      .filter(({ figures }) => figures.samples > 0)
      .map(({ task }) => task);
  const own = promptsOf({ subject });
  const lacking = new Set(rows.flatMap(promptsOf).filter((task) => !own.includes(task)));
  return lacking.size > 0
    ? [`${subject.label} has no samples of ${[...lacking].join(", ")}; its row is of the others.`]
    : [];
}

function percentileTable(summary: RunSummary): ReportTable {
  const notes = [
    "Of the samples of all prompts together, by linear interpolation between closest ranks. p50 is told from 20 samples on, p95 from 100, p99 from 500; nothing is told of what was computed.",
  ];
  const rows = speedRows(summary).filter(({ subject, figures }) => !subject.computedFrom && figures.samples >= 20);
  const columns = (name: string, figure: (row: SpeedRow) => Figure | null): Column<SpeedRow>[] =>
    (["p50", "p95", "p99"] as const).map((percentile) => ({
      title: `${name} ${percentile}`,
      cell: (row) => maybe(figure(row)?.[percentile], formatMs),
    }));
  return table("Percentiles", notes, rows, [
    suiteColumn,
    subjectColumn,
    { title: "Samples", cell: ({ figures }) => String(figures.samples) },
    ...columns("TTFT", ({ figures }) => figures.ttftMs),
    ...columns("TPOT", ({ figures }) => figures.tpotMs),
    ...columns("E2E@25", ({ figures }) => figures.e2e25Ms),
    ...columns("E2E@100", ({ figures }) => figures.e2e100Ms),
  ]);
}

function taskTable({ subjects }: RunSummary): ReportTable {
  const rows = subjects.flatMap((subject) =>
    subject.speed.flatMap(({ suite, tasks }) => tasks.map(({ task, figures }) => ({ subject, suite, task, figures }))),
  );
  return table("Speed by prompt", ["idle: after a rest of the machine."], rows, [
    suiteColumn,
    { title: "Prompt", isText: true, cell: ({ task }) => task },
    subjectColumn,
    ...timeColumns,
  ]);
}

function gainTable({ subjects }: RunSummary): ReportTable {
  const rows = subjects.flatMap(({ label: name, gain }) => (gain ? [{ name, ...gain }] : []));
  const notes = [
    `Ceiling: bytes per token of what it is compared with to its own, the most that reading less gains where both read as many bytes per second; what is measured above it comes from reading faster. Measured: time per token of that to its own, the geometric mean over rounds, with its 95 % interval from ${leastForInterval} on, by resampling; of what was computed the ratio of both.`,
    ...(rows.some(({ against }) => against === halfPrecision)
      ? [`${halfPrecision}: the same weights in 16 bits, for want of a dense subject of as many parameters.`]
      : []),
  ];
  return table("Gain and its ceiling", notes, rows, [
    { title: "Subject", isText: true, cell: ({ name }) => name },
    { title: "Against", isText: true, cell: ({ against }) => against },
    { title: "Ceiling", cell: ({ ceiling }) => times(ceiling) },
    {
      title: "Measured",
      cell: ({ measured }) =>
        maybe(measured, (ratio) => `${times(ratio.value)}${formatInterval(ratio.interval, times)}`),
    },
  ]);
}

/** By a measure that the suite it is about has. */
const measureNotes: readonly (readonly [measure: string, note: string])[] = [
  ["body", "body and line: correct of the samples that write a whole function, and of those that fill in one line."],
  [
    "exact-match",
    "exact-match: filled in as the reference has it, spaces around it aside, of the samples that fill in.",
  ],
  [
    "strict",
    "strict and flexible: the number as lm-evaluation-harness extracts it; Correct is strict. numeric: the last number of the answer, whatever its spelling.",
  ],
];

export function qualityTable({ subjects, suites }: RunSummary): ReportTable {
  const rows = suites.flatMap(({ info }) =>
    subjects.flatMap(({ label: name, quality }) =>
      quality.filter(({ suite }) => suite === info.id).map((figures) => ({ name, info, figures })),
    ),
  );
  const sampled = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures.passAtK)))];
  const measures = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures.measures)))];
  const notes = [
    "95 % intervals: Wilson's, or by resampling problems where several samples are of one (Wilson's over problems where they are few or all alike). Public problems may be in what a model was trained on: compare, do not rank.",
    ...(sampled.length > 0
      ? [
          "pass@k: the chance that at least one of k samples is right, without bias (Chen et al. 2021); mean over tasks.",
        ]
      : []),
    ...measureNotes.flatMap(([name, note]) => (measures.includes(name) ? [note] : [])),
    "Truncated and out of time: answers cut at the most tokens or the most time. Timeouts and syntax errors: of their code when it ran. Whole answer: the median of their times.",
    ...(rows.some(({ figures }) => figures.usableLineMs)
      ? [
          "Usable line: where one line is asked for, in place of the whole answer the median time from the request to the end of the line, when an editor can show it, of lines that ended and are not empty.",
        ]
      : []),
  ];
  return table("Quality", notes, rows, [
    { title: "Suite", isText: true, cell: ({ info }) => info.title },
    { title: "Protocol", isText: true, cell: ({ info }) => info.protocol },
    { title: "Subject", isText: true, cell: ({ name }) => name },
    { title: "Samples", cell: ({ figures }) => String(figures.correct.count) },
    {
      title: "Correct",
      cell: ({ figures: { correct } }) =>
        `${formatShare(correct.value)}${formatInterval(correct.interval, formatShare)}`,
    },
    ...sampled.map((name) => ({
      title: name,
      cell: ({ figures }: (typeof rows)[number]) => maybe(figures.passAtK[name], formatShare),
    })),
    ...measures.map((name) => ({
      title: name,
      cell: ({ figures }: (typeof rows)[number]) => maybe(figures.measures[name], formatShare),
    })),
    { title: "Truncated", cell: ({ figures }) => String(figures.truncated) },
    { title: "Out of time", cell: ({ figures }) => String(figures.outOfTime) },
    { title: "Timeouts", cell: ({ figures }) => String(figures.timeouts) },
    { title: "Syntax errors", cell: ({ figures }) => String(figures.syntaxErrors) },
    { title: "Usable line", cell: ({ figures }) => typical(figures.usableLineMs, formatMs) },
    { title: "Whole answer", cell: ({ figures }) => typical(figures.totalMs, formatMs) },
  ]);
}

export function comparisonTable({ comparisons, subjects, suites }: RunSummary): ReportTable {
  const notes = [
    `On the same problems. Lost and won: what only the other and only this one solved. p: how likely so uneven a split is when neither is better, by McNemar's exact test, two-sided; where several samples are of one problem, by the exact test that turns whole problems around. p, corrected: for all tests of this table (Holm). 95 % intervals by resampling problems, of which ${leastForInterval} or more give one; exact where nothing flipped.`,
  ];
  return table("Quality, pair by pair", notes, comparisons, [
    ...pairColumns({ subjects, suites }),
    { title: "Which is", isText: true, cell: ({ basis }) => basisTexts[basis] },
    { title: "Samples", cell: ({ count }) => String(count) },
    { title: "Lost", cell: ({ lost }) => String(lost.length) },
    { title: "Won", cell: ({ won }) => String(won.length) },
    {
      title: "Difference",
      cell: ({ difference, interval }) => `${formatPoints(difference)}${formatInterval(interval, formatPoints)}`,
    },
    { title: "p", cell: ({ pValue }) => formatP(pValue) },
    { title: "p, corrected", cell: ({ correctedP }) => formatP(correctedP) },
  ]);
}

/** By name, so that they can be looked at. */
export function flipTable({ comparisons, subjects, suites }: RunSummary): ReportTable {
  const notes = ["Tasks that only the other (lost) and only this one (won) solved."];
  const flipped = comparisons.filter(({ lost, won }) => lost.length + won.length > 0);
  return table("Flips", notes, flipped, [
    ...pairColumns({ subjects, suites }),
    { title: "Lost", isText: true, cell: ({ lost }) => listTasks(lost) },
    { title: "Won", isText: true, cell: ({ won }) => listTasks(won) },
  ]);
}

const basisTexts: Readonly<Record<Basis, string>> = {
  file: "dense, same file",
  shape: "dense, same size",
  first: "the first",
};

function pairColumns({ subjects, suites }: Pick<RunSummary, "subjects" | "suites">): Column<QualityComparison>[] {
  const nameOf = (subject: string) => subjects.find(({ id }) => id === subject)?.label ?? subject;
  const titleOf = (suite: string) => suites.find(({ info }) => info.id === suite)?.info.title ?? suite;
  return [
    { title: "Suite", isText: true, cell: ({ suite }) => titleOf(suite) },
    { title: "Subject", isText: true, cell: ({ subject }) => nameOf(subject) },
    { title: "Against", isText: true, cell: ({ against }) => nameOf(against) },
  ];
}

/** Of several samples each task once; more than a page of them are in the record. */
function listTasks(tasks: readonly string[]): string {
  const unique = [...new Set(tasks)];
  const more = unique.length - tasksListed;
  return unique.slice(0, tasksListed).join(", ") + (more > 0 ? `, and ${more} more` : "");
}

function formatP(p: number): string {
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

export function typingTable({ subjects, suites }: RunSummary): ReportTable {
  const protocols = suites.flatMap(({ info }) => (info.kind === "typing" ? [info.protocol] : []));
  const rows = subjects.flatMap(({ label: name, typing }) => (typing ? [{ name, typing }] : []));
  const notes = [
    `From a keystroke to its text, over real code: ${protocols.join(", ")}. A text is shown once it is whole, so its latency is the time to the first usable line.`,
    "Answered: keystrokes for which it was clear before the next change whether there is a text; the others were overtaken. Latency: the median of those whose text the model wrote, with the editor's own delay; what was known already is there at once and not among them. Beside others: generations that ran while the engine did something else and may have taken longer; their latencies count.",
  ];
  return table("Typing", notes, rows, [
    { title: "Subject", isText: true, cell: ({ name }) => name },
    { title: "Keystrokes", cell: ({ typing }) => String(typing.keystrokes) },
    { title: "Answered", cell: ({ typing }) => formatShare(typing.answered / Math.max(1, typing.keystrokes)) },
    { title: "Shown", cell: ({ typing }) => formatShare(typing.shown / Math.max(1, typing.keystrokes)) },
    { title: "Latency", cell: ({ typing }) => typical(typing.latencyMs, formatMs) },
    { title: "p95", cell: ({ typing }) => maybe(typing.latencyMs?.p95, formatMs) },
    { title: "Unused generations", cell: ({ typing }) => String(typing.cancelled) },
    { title: "Beside others", cell: ({ typing }) => String(typing.overlaps) },
    {
      title: "Typed characters already shown",
      cell: ({ typing }) => formatShare(typing.savedCharacters / Math.max(1, typing.typedCharacters)),
    },
  ]);
}

/** null where it is the first text, as far as it is written. */
function firstToken({ figures: { firstTokenMs, ttftMs } }: SpeedRow): string | null {
  if (!firstTokenMs || (ttftMs && formatMs(firstTokenMs.typical) === formatMs(ttftMs.typical))) return null;
  return typical(firstTokenMs, formatMs);
}

function speedRows({ subjects }: RunSummary): SpeedRow[] {
  return subjects.flatMap((subject) =>
    subject.speed.map(({ suite, all }) => ({ subject, suite, task: "", figures: all })),
  );
}

const label: Column<SubjectSummary> = { title: "Subject", isText: true, cell: (subject) => subject.label };

function table<T>(
  title: string,
  notes: readonly string[],
  rows: readonly T[],
  columns: readonly Column<T>[],
): ReportTable {
  const told = columns.filter(({ cell }) => rows.some((row) => cell(row) !== null));
  return {
    title,
    notes,
    columns: told.map((column) => ({ title: column.title, isText: column.isText === true })),
    rows: rows.map((row) => told.map(({ cell }) => cell(row) ?? "")),
  };
}

/** "42.0 ms (40.1 to 44.2 ms)" */
function typical(figure: Figure | null, format: (value: number) => string): string | null {
  return figure && `${format(figure.typical)}${formatInterval(figure.interval, format)}`;
}

function maybe<T>(value: T | null | undefined, format: (value: T) => string): string | null {
  return value === null || value === undefined ? null : format(value);
}

function times(factor: number): string {
  return `${factor.toFixed(2)}x`;
}
