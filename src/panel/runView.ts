// A run as the panel shows it: rows of figures instead of raw samples, so that a record of ten thousand samples opens at
// once. The extension host makes it; the page only draws it.
import { formatCount, formatLatency, formatShare } from "../benchmark/report/charts/numbers.ts";
import type { ChartPoint, ComparedPoint, Estimate, SampleSeries } from "../benchmark/report/charts/points.ts";
import { type LatencyName, latencyTitles } from "../benchmark/report/charts/summaryPoints.ts";
import type { Method } from "../benchmark/subject.ts";
import type { SuiteId } from "../benchmark/suite.ts";

/** What can stand in a column. Quality figures are named by their suite. */
export type FigureId = SpeedFigure | QualityFigure;
export type QualityFigure = `quality:${SuiteId}`;

export const latencyFigures: readonly LatencyName[] = ["e2e25Ms", "e2e50Ms", "e2e100Ms", "ttftMs", "tpotMs"];

const otherFigures = [
  "parameters",
  "decode",
  "prefill",
  "fileBytes",
  "residentBytes",
  "bytesPerToken",
  "bandwidth",
  "bandwidthShare",
  "activeShare",
  "joulesPerToken",
  "keystroke",
] as const;
export type SpeedFigure = LatencyName | (typeof otherFigures)[number];

export interface FigureKind {
  /** Of its column, short. */
  readonly title: string;
  /** Of an axis, or where the pointer rests. */
  readonly description: string;
  readonly format: (value: number) => string;
}

const bytes = (value: number) => `${(value / (value < 1e9 ? 1e6 : 1e9)).toFixed(1)} ${value < 1e9 ? "MB" : "GB"}`;
const perSecond = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} tok/s`;

export const speedFigures: Readonly<Record<SpeedFigure, FigureKind>> = {
  e2e25Ms: { title: "E2E@25", description: latencyTitles.e2e25Ms, format: formatLatency },
  e2e50Ms: { title: "E2E@50", description: latencyTitles.e2e50Ms, format: formatLatency },
  e2e100Ms: { title: "E2E@100", description: latencyTitles.e2e100Ms, format: formatLatency },
  ttftMs: { title: "TTFT", description: latencyTitles.ttftMs, format: formatLatency },
  tpotMs: { title: "TPOT", description: latencyTitles.tpotMs, format: formatLatency },
  parameters: { title: "Parameters", description: "Parameters of the model", format: formatCount },
  decode: { title: "Decode", description: "Tokens written per second", format: perSecond },
  prefill: { title: "Prefill", description: "Prompt tokens read per second", format: perSecond },
  fileBytes: { title: "File", description: "Size of the model file", format: bytes },
  residentBytes: {
    title: "Memory",
    description: "Main memory that the engine took more once it was loaded",
    format: bytes,
  },
  bytesPerToken: { title: "Bytes/token", description: "Weights read per token", format: bytes },
  bandwidth: {
    title: "Bandwidth",
    description: "Weights read per second",
    format: (value) => `${(value / 1e9).toFixed(1)} GB/s`,
  },
  bandwidthShare: { title: "Of peak", description: "Share of this machine's measured bandwidth", format: formatShare },
  activeShare: { title: "Active", description: "Neurons computed, of all", format: formatShare },
  joulesPerToken: {
    title: "Energy",
    description: "Energy of the processor per token",
    format: (value) => `${value.toPrecision(2)} J`,
  },
  keystroke: { title: "Keystroke", description: "From a keystroke to its text", format: formatLatency },
};

export interface QualitySuite {
  readonly id: SuiteId;
  readonly title: string;
  /** "HE-base-greedy" */
  readonly protocol: string;
}

export interface ResultRow {
  /** Of the subject. */
  readonly id: string;
  readonly label: string;
  readonly method: Method;
  readonly isComputed: boolean;
  /** What was measured; a figure that is not there was not, and `notes` may say why. */
  readonly figures: Readonly<Partial<Record<FigureId, Estimate>>>;
  readonly notes: readonly string[];
  /** A model file that completions can use. */
  readonly canBeUsed: boolean;
}

export interface ShownWarning {
  readonly message: string;
  readonly advice: string;
  /** Label of the subject it is about, or null. */
  readonly subject: string | null;
  readonly isFailure: boolean;
}

export type RunState = "running" | "complete" | "cancelled" | "unfinished";

export interface RunView {
  readonly runId: string;
  readonly startedAt: string;
  readonly state: RunState;
  /** "AMD Ryzen 9 7950X, 32 cores, 64 GB; NVIDIA RTX 4090" */
  readonly machine: string;
  /** "full isolation in the panel", or why code ran otherwise; null: none ran. */
  readonly isolation: string | null;
  readonly rows: readonly ResultRow[];
  readonly quality: readonly QualitySuite[];
  readonly warnings: readonly ShownWarning[];
  /** Evenly taken from the record when it holds more; `sampleCount` is how many it holds. */
  readonly samples: readonly SampleSeries[];
  readonly sampleCount: number;
}

/** A run that has written nothing yet. */
export function emptyView({ runId, startedAt }: Pick<RunView, "runId" | "startedAt">): RunView {
  const nothing = { rows: [], quality: [], warnings: [], samples: [], sampleCount: 0 };
  return { runId, startedAt, state: "running", machine: "", isolation: null, ...nothing };
}

export function isEmpty({ rows, warnings }: RunView): boolean {
  return rows.length === 0 && warnings.length === 0;
}

export function figureKind(id: FigureId, quality: readonly QualitySuite[]): FigureKind {
  if (!isQuality(id)) return speedFigures[id];
  const suite = quality.find((other) => qualityFigure(other.id) === id);
  const title = suite?.title ?? id;
  return { title, description: suite ? `${title}, ${suite.protocol}` : title, format: formatShare };
}

export function qualityFigure(suite: SuiteId): QualityFigure {
  return `quality:${suite}`;
}

export function isQuality(id: FigureId): id is QualityFigure {
  return id.startsWith("quality:");
}

/** Every figure that some row has, in the order of the columns. */
export function presentFigures(rows: readonly ResultRow[], quality: readonly QualitySuite[]): FigureId[] {
  const all: FigureId[] = [
    "parameters",
    ...latencyFigures,
    ...quality.map(({ id }) => qualityFigure(id)),
    ...otherFigures.filter((id) => id !== "parameters"),
  ];
  return all.filter((id) => rows.some((row) => row.figures[id] !== undefined));
}

/** The rows as points of the pictures. */
export function pointsOf(
  rows: readonly ResultRow[],
  latency: LatencyName,
  quality: QualityFigure | null,
): ChartPoint[] {
  return rows.map(({ id, label, method, isComputed, figures }) => ({
    id,
    label,
    method,
    isComputed,
    parameterCount: figures.parameters?.value ?? null,
    latencyMs: figures[latency] ?? null,
    quality: (quality && figures[quality]) ?? null,
  }));
}

/** The subjects that two runs share and that have the figure in both. */
export function comparedPoints(before: RunView, after: RunView, figure: LatencyName): ComparedPoint[] {
  return after.rows.flatMap((row) => {
    const other = before.rows.find(({ id }) => id === row.id)?.figures[figure];
    const own = row.figures[figure];
    return other && own ? [{ id: row.id, label: row.label, method: row.method, before: other, after: own }] : [];
  });
}
