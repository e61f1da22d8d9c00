// How fast the subjects of a run are, as tables of text.
import { type Figure, leastForInterval } from "../statistics/quantile.ts";
import { halfPrecision } from "./gain.ts";
import { formatBytes, formatInterval, formatMs, formatNumber, formatShare } from "./numbers.ts";
import { isRested, type SpeedFigures } from "./speed.ts";
import { counted } from "./state.ts";
import { type RunSummary, type SubjectSummary, unsharedPrompts } from "./summary.ts";
import { type Column, maybe, type ReportTable, table, typical } from "./table.ts";

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

export function percentileTable(summary: RunSummary): ReportTable {
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

export function taskTable({ subjects }: RunSummary): ReportTable {
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

export function gainTable({ subjects }: RunSummary): ReportTable {
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

function times(factor: number): string {
  return `${factor.toFixed(2)}x`;
}
