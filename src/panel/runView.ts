// A run as the panel shows it: rows of figures instead of raw samples, so that a record of ten thousand samples opens at
// once. The extension host makes it; the page only draws it.
import type { Left } from "../benchmark/record/entries.ts";
import { nothingLeft, type RunStatus } from "../benchmark/record/resume.ts";
import { formatCount, formatLatency, formatShare } from "../benchmark/report/charts/numbers.ts";
import type {
  ChartPoint,
  ComparedPoint,
  Estimate,
  SampleSeries,
  SeriesMode,
} from "../benchmark/report/charts/points.ts";
import { type LatencyName, latencyTitles } from "../benchmark/report/charts/summaryPoints.ts";
import type { ReportTable } from "../benchmark/report/table.ts";
import type { Method } from "../benchmark/subject.ts";
import type { SuiteId } from "../benchmark/suite.ts";

/** What can stand in a column. Quality figures are named by their suite. */
export type FigureId = SpeedFigure | QualityFigure | MeasureFigure | LineFigure;
export type QualityFigure = `quality:${SuiteId}`;
/** A share that a suite counts apart, such as single lines. */
export type MeasureFigure = `measure:${SuiteId}:${string}`;

/** The time that a suite's single lines took. */
export type LineFigure = `line:${SuiteId}`;

export const latencyFigures: readonly LatencyName[] = ["e2e25Ms", "e2e50Ms", "e2e100Ms", "ttftMs", "tpotMs"];

const otherFigures = [
  "parameters",
  "decode",
  "prefill",
  "fileBytes",
  "residentBytes",
  "gpuBytes",
  "bytesPerToken",
  "bandwidth",
  "bandwidthShare",
  "activeShare",
  "joulesPerToken",
  "fitsInVram",
  "keystroke",
] as const;
const percentiles = ["p50", "p95", "p99"] as const;
const percentileFigures = ["ttftMs", "e2e25Ms", "keystroke"] as const;
const restFigures = ["restTtftMs", "restE2e25Ms"] as const;

export type PercentileFigure = `${(typeof percentileFigures)[number]}:${(typeof percentiles)[number]}`;
export type SpeedFigure = LatencyName | PercentileFigure | (typeof otherFigures)[number] | (typeof restFigures)[number];

export interface FigureKind {
  /** Of its column, short. */
  readonly title: string;
  /** Of an axis, or where the pointer rests. */
  readonly description: string;
  readonly format: (value: number) => string;
}

const bytes = (value: number) => `${(value / (value < 1e9 ? 1e6 : 1e9)).toFixed(1)} ${value < 1e9 ? "MB" : "GB"}`;
/** Two digits, of large numbers all that are whole. */
const short = (value: number) => String(value < 10 ? Number(value.toPrecision(2)) : Math.round(value));
const perSecond = (value: number) => `${short(value)} tok/s`;

type PlainFigure = Exclude<SpeedFigure, PercentileFigure>;

const plainFigures: Readonly<Record<PlainFigure, FigureKind>> = {
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
    description: "Main memory that its weights, KV cache and buffers need",
    format: bytes,
  },
  gpuBytes: {
    title: "GPU memory",
    description: "Memory of GPUs that the model took once it was loaded",
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
    format: (value) => `${short(value)} J`,
  },
  fitsInVram: {
    title: "Fits in VRAM",
    description: "Whether the memory of the GPU holds all of it",
    format: (value) => (value === 1 ? "yes" : "no"),
  },
  keystroke: {
    title: "Keystroke",
    description: "From a keystroke to its text, which is shown once it is whole",
    format: formatLatency,
  },
  restTtftMs: {
    title: "TTFT, rested",
    description: "Time to first text after a rest of the machine",
    format: formatLatency,
  },
  restE2e25Ms: {
    title: "E2E@25, rested",
    description: "End to end at 25 tokens after a rest of the machine",
    format: formatLatency,
  },
};

/** With their percentiles, which are told from 20, 100 and 500 samples on. */
export const speedFigures = {
  ...plainFigures,
  ...Object.fromEntries(
    percentileFigures.flatMap((figure) =>
      percentiles.map((percentile) => {
        const { title, description, format } = plainFigures[figure];
        const kind = { title: `${title} ${percentile}`, description: `${description}, ${percentile}`, format };
        return [percentileFigure(figure, percentile), kind];
      }),
    ),
  ),
} as Readonly<Record<SpeedFigure, FigureKind>>;

export function percentileFigure(
  figure: (typeof percentileFigures)[number],
  percentile: (typeof percentiles)[number],
): PercentileFigure {
  return `${figure}:${percentile}`;
}

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
  readonly mode: SeriesMode;
  /** Of models that a line joins in pictures. */
  readonly family: string | null;
  readonly isComputed: boolean;
  /** SHA-256 of its model file; null: unknown, as of a server. */
  readonly fileSha256: string | null;
  /** How it ran: "exact, 32 layers on CPU, 8 threads, context 4096". */
  readonly settings: string;
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

export interface RunView {
  readonly runId: string;
  readonly startedAt: string;
  readonly state: RunStatus;
  readonly left: Left;
  /** "AMD Ryzen 9 7950X, 32 cores, 64 GB; NVIDIA RTX 4090" */
  readonly machine: string;
  /** "full isolation in the panel", or why code ran otherwise; null: none ran. */
  readonly isolation: string | null;
  /** By title of the suite, what it asked: its protocol, and the hash of its prompts. */
  readonly questions: Readonly<Record<string, string>>;
  readonly rows: readonly ResultRow[];
  readonly quality: readonly QualitySuite[];
  /** Subjects side by side on the problems that both answered, and which those were where they differ. */
  readonly pairs: readonly ReportTable[];
  readonly warnings: readonly ShownWarning[];
  /** Evenly taken from the record when it holds more; `sampleCount` is how many it holds. */
  readonly samples: readonly SampleSeries[];
  readonly sampleCount: number;
}

/** A run that has written nothing yet. */
export function emptyView({ runId, startedAt }: Pick<RunView, "runId" | "startedAt">): RunView {
  const nothing = { questions: {}, rows: [], quality: [], pairs: [], warnings: [], samples: [], sampleCount: 0 };
  return { runId, startedAt, state: "running", left: nothingLeft, machine: "", isolation: null, ...nothing };
}

export function isEmpty({ rows, warnings }: RunView): boolean {
  return rows.length === 0 && warnings.length === 0;
}

export function figureKind(id: FigureId, quality: readonly QualitySuite[]): FigureKind {
  if (!isQuality(id) && !isMeasure(id) && !isLine(id)) return speedFigures[id];
  const [, suiteId = "", measure] = id.split(":");
  const suite = quality.find((other) => other.id === suiteId);
  if (isLine(id)) {
    const description = "From the request to the end of the line, when an editor can show it";
    return { title: `${suite?.title ?? suiteId}: usable line`, description, format: formatLatency };
  }
  const title = `${suite?.title ?? suiteId}${measure === undefined ? "" : `: ${measure}`}`;
  return { title, description: suite ? `${title}, ${suite.protocol}` : title, format: formatShare };
}

export function qualityFigure(suite: SuiteId): QualityFigure {
  return `quality:${suite}`;
}

export function measureFigure(suite: SuiteId, measure: string): MeasureFigure {
  return `measure:${suite}:${measure}`;
}

export function lineFigure(suite: SuiteId): LineFigure {
  return `line:${suite}`;
}

function isLine(id: FigureId): id is LineFigure {
  return id.startsWith("line:");
}

function isMeasure(id: FigureId): id is MeasureFigure {
  return id.startsWith("measure:");
}

export function isQuality(id: FigureId): id is QualityFigure {
  return id.startsWith("quality:");
}

/** Every figure that some row has, in the order of the columns. */
export function presentFigures(rows: readonly ResultRow[], quality: readonly QualitySuite[]): FigureId[] {
  const told = new Set(rows.flatMap(({ figures }) => Object.keys(figures) as FigureId[]));
  const measures = [...told].filter(isMeasure);
  const all: FigureId[] = [
    "parameters",
    ...latencyFigures,
    ...quality.flatMap(({ id }) => [
      qualityFigure(id),
      ...measures.filter((measure) => measure.startsWith(measureFigure(id, ""))),
      lineFigure(id),
    ]),
    ...otherFigures.filter((id) => id !== "parameters"),
    ...restFigures,
    ...percentileFigures.flatMap((figure) => percentiles.map((percentile) => percentileFigure(figure, percentile))),
  ];
  return all.filter((id) => told.has(id));
}

/** The rows as points of the pictures. */
export function pointsOf(
  rows: readonly ResultRow[],
  latency: LatencyName,
  quality: QualityFigure | null,
): ChartPoint[] {
  return rows.map(({ id, label, method, mode, family, isComputed, figures }) => ({
    id,
    label,
    method,
    mode,
    family,
    isComputed,
    parameterCount: figures.parameters?.value ?? null,
    latencyMs: figures[latency] ?? null,
    quality: (quality && figures[quality]) ?? null,
  }));
}

/** The subjects that two runs share and that have the figure in both. Two files by one name are two subjects. */
export function comparedPoints(before: RunView, after: RunView, figure: LatencyName): ComparedPoint[] {
  return sharedRows(before, after).flatMap(([other, own]) => {
    const [first, second] = [other.figures[figure], own.figures[figure]];
    const isSame = !isOtherFile(other, own);
    return first && second && isSame
      ? [{ id: own.id, label: own.label, method: own.method, before: first, after: second }]
      : [];
  });
}

/** What besides the program may have changed between two runs. */
export function comparisonNotes(before: RunView, after: RunView): string[] {
  const rows = sharedRows(before, after).flatMap(([other, own]) => {
    if (isOtherFile(other, own)) return [`${own.label} is another model file in each run and is left out.`];
    return other.settings === own.settings ? [] : [`${own.label} ran as ${other.settings}, then as ${own.settings}.`];
  });
  const suites = Object.entries(after.questions).flatMap(([title, asked]) => {
    const other = before.questions[title];
    return other === undefined || other === asked ? [] : [`${title} did not ask the same.`];
  });
  const machine =
    before.machine === after.machine ? [] : [`The first ran on ${before.machine}; the second on ${after.machine}.`];
  return [...machine, ...suites, ...rows];
}

function sharedRows(before: RunView, after: RunView): [before: ResultRow, after: ResultRow][] {
  return after.rows.flatMap((own): [ResultRow, ResultRow][] => {
    const other = before.rows.find(({ id }) => id === own.id);
    return other ? [[other, own]] : [];
  });
}

function isOtherFile({ fileSha256: before }: ResultRow, { fileSha256: after }: ResultRow): boolean {
  return before !== null && after !== null && before !== after;
}
