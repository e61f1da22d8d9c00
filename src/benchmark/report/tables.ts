// A run as tables of text: what Markdown, HTML and the terminal show, each in its own way.
import { totalBytes } from "../../protocol/model.ts";
import { leastForInterval } from "../statistics/quantile.ts";
import type { SubjectFacts } from "../subject.ts";
import type { Basis, QualityComparison } from "./compare.ts";
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatMs,
  formatNumber,
  formatPoints,
  formatShare,
} from "./numbers.ts";
import { gainTable, percentileTable, speedTable, taskTable } from "./speedTables.ts";
import type { RunSummary, SubjectSummary } from "./summary.ts";
import { type Column, maybe, type ReportTable, table, typical } from "./table.ts";

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

const label: Column<SubjectSummary> = { title: "Subject", isText: true, cell: (subject) => subject.label };
