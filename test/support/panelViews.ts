// Runs as the panel is told of them, made up: four sizes by four methods, a server, scores for the smaller ones.
import { nothingLeft } from "../../src/benchmark/record/resume.ts";
import type { Estimate } from "../../src/benchmark/report/charts/points.ts";
import type { ReportTable } from "../../src/benchmark/report/table.ts";
import type { Method } from "../../src/benchmark/subject.ts";
import type { RunListEntry, StartChoices } from "../../src/panel/protocol.ts";
import type { ResultRow, RunView } from "../../src/panel/runView.ts";

const around = (value: number, part: number): Estimate => ({
  value,
  low: value * (1 - part),
  high: value * (1 + part),
});
const exactly = (value: number): Estimate => ({ value, low: null, high: null });

function row(method: Method, billions: number, factor: number): ResultRow {
  const tpot = billions * 5 * factor;
  const quality = 0.3 + 0.15 * Math.log10(billions);
  const isComputed = billions > 30;
  return {
    id: `${method.replace("/", "-")}-${billions}b`.toLowerCase(),
    label: `Llama ${billions}B ${method}`,
    method,
    mode: method === "hot/cold" ? "exact" : null,
    family: method === "server" ? null : `llama, ${method}`,
    isComputed,
    fileSha256: null,
    settings: "32 layers on CPU, 8 threads",
    figures: {
      parameters: exactly(billions * 1e9),
      e2e25Ms: around(tpot * 27, 0.06),
      e2e50Ms: around(tpot * 52, 0.05),
      e2e100Ms: around(tpot * 102, 0.04),
      ttftMs: around(tpot * 3, 0.08),
      tpotMs: around(tpot, 0.03),
      decode: around(1000 / tpot, 0.03),
      residentBytes: exactly(billions * 1.1e9),
      gpuBytes: exactly(billions * 0.6e9),
      bytesPerToken: exactly(billions * 1.05e9 * factor),
      ...(isComputed ? {} : { "quality:humaneval": { value: quality, low: quality - 0.07, high: quality + 0.08 } }),
    },
    notes: isComputed ? ["p95 needs 100 samples, there are 40."] : [],
    canBeUsed: method !== "server",
  };
}

const rows: readonly ResultRow[] = [
  ...([7, 13, 34, 70] as const).flatMap((billions) => [
    row("dense", billions, 1),
    row("hot/cold", billions, 0.45),
    row("GPTQ", billions, 0.6),
    row("SparseGPT", billions, 0.7),
  ]),
  { ...row("server", 7, 0.95), label: 'qwen via Ollama <img src=x onerror="alert(1)"> {a|b}' },
];

const textColumn = (title: string) => ({ title, isText: true });
const figureColumn = (title: string) => ({ title, isText: false });
const pair = ["HumanEval", "Llama 7B GPTQ", "Llama 7B dense"] as const;

const madeUpPairs: readonly ReportTable[] = [
  {
    title: "Quality, pair by pair",
    notes: ["On the same problems. Lost and won: what only the other and only this one solved."],
    columns: [
      ...["Suite", "Subject", "Against", "Which is"].map(textColumn),
      ...["Problems", "Lost", "Won", "Difference", "p", "p, corrected"].map(figureColumn),
    ],
    rows: [[...pair, "dense, same size", "164", "9", "2", "-4.3 (-8.1 to -0.4) points", "0.065", "0.130"]],
  },
  {
    title: "Flips",
    notes: ["Tasks that only the other (lost) and only this one (won) solved."],
    columns: ["Suite", "Subject", "Against", "Lost", "Won"].map(textColumn),
    rows: [
      [
        ...pair,
        [3, 17, 32, 55, 81, 99, 120, 133, 140].map((task) => `HumanEval/${task}`).join(", "),
        "HumanEval/5, HumanEval/90",
      ],
    ],
  },
];

export function madeUpView(part: Partial<RunView> = {}): RunView {
  return {
    runId: "20261122-201500-3fa9c1",
    startedAt: "2026-11-22T20:15:00.000Z",
    state: "complete",
    left: nothingLeft,
    machine: "AMD Ryzen 9 7950X, 32 cores, 64 GB, Linux 6.18; NVIDIA GeForce RTX 4090, 24 GB",
    isolation: "full isolation in the panel",
    questions: { HumanEval: "HE-base-greedy 3fa9c1" },
    rows,
    quality: [{ id: "humaneval", title: "HumanEval", protocol: "HE-base-greedy" }],
    pairs: madeUpPairs,
    warnings: [
      {
        message: "12 of 240 generations ran beside completions.",
        advice: "Pause completions during the run for quieter figures.",
        subject: null,
        isFailure: false,
      },
      {
        message: "The prompt was cut to 4096 tokens.",
        advice: "Raise hotpath.contextLength.",
        subject: "Llama 7B dense",
        isFailure: false,
      },
    ],
    samples: rows.slice(0, 6).map(({ id, label, method, mode, figures }, index) => ({
      id,
      label,
      method,
      mode,
      samples: Array.from({ length: 60 }, (_, at) => ({
        atMs: at * 4000 + index * 300,
        latencyMs: (figures.e2e100Ms?.value ?? 0) * (1 + 0.1 * Math.sin(at * 7.3 + index)) * (at % 17 === 0 ? 1.4 : 1),
      })),
    })),
    sampleCount: 360,
    ...part,
  };
}

/** The same subjects in an older run, a fifth slower. */
export function olderView(): RunView {
  const slower = ({ value, low, high }: Estimate): Estimate => ({
    value: value * 1.25,
    low: low === null ? null : low * 1.25,
    high: high === null ? null : high * 1.25,
  });
  return madeUpView({
    runId: "20261120-090000-77aa01",
    startedAt: "2026-11-20T09:00:00.000Z",
    rows: rows.map((own) => ({
      ...own,
      figures: { ...own.figures, ...(own.figures.e2e25Ms ? { e2e25Ms: slower(own.figures.e2e25Ms) } : {}) },
    })),
  });
}

export const madeUpRuns: readonly RunListEntry[] = [
  {
    runId: "20261122-201500-3fa9c1",
    startedAt: "2026-11-22T20:15:00.000Z",
    state: "complete",
    left: nothingLeft,
    suites: ["sizes", "humaneval"],
    what: "Llama 7B to 70B: size sweep, HumanEval",
  },
  {
    runId: "20261121-180000-aa12b3",
    startedAt: "2026-11-21T18:00:00.000Z",
    state: "unfinished",
    left: nothingLeft,
    suites: ["latency", "starter"],
    what: "starter (dense), starter (exact): latency, starter set",
  },
  {
    runId: "20261120-090000-77aa01",
    startedAt: "2026-11-20T09:00:00.000Z",
    state: "complete",
    left: { failures: 2, unscored: 0 },
    suites: ["sizes", "latency"],
    what: "Llama 7B to 70B: size sweep, HumanEval",
  },
];

export const madeUpChoices: StartChoices = {
  models: [
    {
      path: "/models/starter.gguf",
      label: "Starter",
      detail: "tiny demo model, one line at most; choose a 0.5B–7B code model for real work",
      isActive: true,
    },
    { path: "/models/qwen.gguf", label: "qwen2.5-coder-1.5b-q8_0.gguf", detail: "/models", isActive: false },
  ],
  shapes: [
    { id: "7b", label: "Llama 7B" },
    { id: "13b", label: "Llama 13B" },
    { id: "34b", label: "Llama 34B" },
    { id: "70b", label: "Llama 70B" },
  ],
  suites: [
    {
      id: "latency",
      title: "Latency sweep",
      description: "Time to first token, per token, and end to end at 25, 50 and 100 tokens.",
      runsCode: false,
      subjects: "models",
      taskCount: 5,
      fetches: null,
    },
    {
      id: "sizes",
      title: "Size sweep",
      description: "The same for models of 7B to 70B, without downloading them.",
      runsCode: false,
      subjects: "shapes",
      taskCount: 2,
      fetches: null,
    },
    {
      id: "starter",
      title: "Starter set",
      description: "Small problems of our own; works offline.",
      runsCode: true,
      subjects: "models",
      taskCount: 40,
      fetches: null,
    },
    {
      id: "humaneval",
      title: "HumanEval",
      description: "The well-known programming problems.",
      runsCode: true,
      subjects: "models",
      taskCount: 164,
      fetches: "Fetched once, 45 kB.",
    },
  ],
  code: {
    level: "full",
    detail: "In a worker of this panel: no network, no files, 3 s and 1 GB for each program.",
    consent: "none",
  },
};
