// The hot/cold modes against stock llama.cpp on models whose neurons are active as often as planted: same file, threads
// and tokens, turn by turn in one process. Speed does not depend on the values of weights, only on which are read.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { atLeast, type Bench, type BenchContext, type Result, reported, tableRow } from "./bench.ts";
import { drawSparse, type SparsePoint } from "./sparsePicture.ts";

interface ModeSpeed {
  readonly mode: string;
  readonly decode: number;
  /** Over llama.cpp's. */
  readonly ratio: number;
  readonly prefillRatio: number;
  readonly active: number;
  readonly bytesPerToken: number;
  readonly GBps: number;
  readonly ofRead: number;
}

interface SparseOutput {
  readonly threads: number;
  readonly kernels: string;
  readonly readGBps: number;
  /** Of the logits, from llama.cpp's, over the largest. */
  readonly difference: number;
  readonly llama: { readonly decode: number; readonly prefill: number };
  readonly modes: readonly ModeSpeed[];
}

interface Case {
  readonly name: string;
  /** Of hotpath-synth. */
  readonly model: readonly string[];
  /** What llama.cpp runs in its place, where it cannot run the file. */
  readonly dense?: readonly string[];
  readonly modes: string;
  /** Least ratio to llama.cpp by mode; every case must reach 1. */
  readonly least?: Readonly<Record<string, number>>;
  /** Where its decode speed with one thread is in the picture. */
  readonly drawn?: Omit<SparsePoint, "ratio">;
}

const ffnOnly = "FFN of 7b";
const drawnShape = "7b";

/**
 * Layers of one model are alike: a few of them tell the speed of all, and the file is written in seconds. The vocabulary is
 * cut by as much, or the output matrix would weigh more than it does; 8192 tokens are the least.
 */
const shapes = [
  { name: "0.5b", sizes: ["--preset", "0.5b", "--layers", "6", "--vocab", String(151_936 / 4)] },
  { name: "1.5b", sizes: ["--preset", "1.5b", "--layers", "7", "--vocab", String(151_936 / 4)] },
  { name: "7b", sizes: ["--preset", "7b", "--layers", "4", "--vocab", "8192"] },
  // One narrow head, so that a token is the FFNs of a 7B model and little else.
  { name: ffnOnly, sizes: ["--preset", "7b", "--layers", "8", "--vocab", "8192", "--heads", "1", "--kv-heads", "1"] },
] as const;

/** `least`: ratio of the FFNs alone in exact mode, with 11 % of the neurons active. */
const archs = [
  { name: "ReLU²", arch: "arcee", least: 2.5 },
  { name: "ReLU-GLU", arch: "llama-relu", least: 3 },
] as const;

const activities = [0.05, 0.11, 0.33, 1] as const;

/** Where all neurons are active none is hotter than another. */
function plantedActivity(active: number): string[] {
  return ["--active", String(active), ...(active === 1 ? ["--skew", "0.26"] : [])];
}

function syntheticCases(): Case[] {
  return shapes.flatMap(({ name, sizes }) =>
    archs.flatMap(({ name: archName, arch, least }) =>
      ["q8_0", "q4_0"].flatMap((type) =>
        activities.map((active) => ({
          name: `${name} ${archName} ${type.toUpperCase()}, ${active * 100} % active`,
          model: [...sizes, "--arch", arch, "--type", type, ...plantedActivity(active)],
          modes: "exact",
          least: { exact: name === ffnOnly && active === 0.11 ? least : 1 },
          ...(name === drawnShape ? { drawn: { series: `${archName} ${type.toUpperCase()}`, active } } : {}),
        })),
      ),
    ),
  );
}

/**
 * PowerInfer's own speed over llama.cpp's on its own files, one thread, by share of active neurons: measured on another
 * day on a machine of this kind (2 virtual Xeon cores, AVX-512), s: 1536 wide, 24 layers, b: 4096 wide, 8 layers.
 */
const powerInfer = [
  { name: "s", type: "q4_0", ratios: { 0.11: 1.26, 0.33: 1.04, 1: 0.76 }, faster: 1.8 },
  { name: "s", type: "f16", ratios: { 0.11: 2.01, 0.33: 1.48, 1: 0.92 }, faster: 1.5 },
  { name: "b", type: "q4_0", ratios: { 0.11: 1.63, 0.33: 1.18, 1: 0.79 }, faster: 1.8 },
  { name: "b", type: "f16", ratios: { 0.11: 1.97, 0.33: 1.53, 1: 0.96 }, faster: 1.5 },
] as const;

const powerInferSizes = {
  s: [
    "--layers",
    "24",
    "--embd",
    "1536",
    "--heads",
    "24",
    "--kv-heads",
    "24",
    "--head-dim",
    "64",
    "--ff",
    "6144",
    "--vocab",
    "32000",
  ],
  b: [
    "--layers",
    "8",
    "--embd",
    "4096",
    "--heads",
    "32",
    "--kv-heads",
    "32",
    "--head-dim",
    "128",
    "--ff",
    "11008",
    "--vocab",
    "32000",
  ],
} as const;

function powerInferCases(): Case[] {
  return powerInfer.flatMap(({ name, type, ratios, faster }) =>
    ([0.11, 0.33, 1] as const).map((active) => ({
      name: `PowerInfer ${name} ${type.toUpperCase()}, ${active * 100} % active`,
      model: [
        ...powerInferSizes[name],
        ...["--arch", "llama-relu", "--powerinfer", "--type", type, ...plantedActivity(active)],
      ],
      dense: [...powerInferSizes[name], "--arch", "llama", "--type", type],
      modes: "exact,predicted",
      least: {
        exact: Math.max(1, active === 0.33 ? ratios[active] : 1),
        predicted: Math.max(1, active === 0.11 ? faster * ratios[active] : 1),
      },
    })),
  );
}

export const sparse: Bench = async (context) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "hotpath-sparse-"));
  try {
    const results: Result[] = [];
    const points: SparsePoint[] = [];
    // An hour's measurements are shown as they come, for whoever has to interrupt them.
    const add = (name: string, output: SparseOutput, least: Readonly<Record<string, number>>) => {
      const rows = describeModes(name, output, least);
      for (const row of rows) process.stderr.write(`${tableRow(row)}\n`);
      results.push(...rows);
    };
    if ("starter model".includes(context.cases))
      add("starter model", run(context, context.starter, context.starter, "exact", 1), {});
    const dense = new Map<string, string>();
    for (const one of [...syntheticCases(), ...powerInferCases()]) {
      if (!one.name.includes(context.cases)) continue;
      const file = synthesize(context, path.join(folder, "model.gguf"), one.model);
      const against = one.dense ? denseFile(context, folder, dense, one.dense) : file;
      const threadCounts = one.dense ? [1] : [1, allThreads()];
      for (const threads of new Set(threadCounts)) {
        const output = run(context, file, against, one.modes, threads);
        add(`${one.name}, ${threads} thread${threads === 1 ? "" : "s"}`, output, one.least ?? {});
        if (one.drawn && threads === 1) points.push({ ...one.drawn, ratio: output.modes[0]?.ratio ?? 0 });
      }
    }
    if (points.length > 0) draw(context, points);
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

function draw({ root }: BenchContext, points: readonly SparsePoint[]): void {
  const file = path.join(root, "test", "results", "sparse.svg");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, drawSparse(points));
  process.stderr.write(`drawn: ${file}\n`);
}

function allThreads(): number {
  return Math.max(1, os.availableParallelism());
}

/** The last one is kept: cases that share it follow one another. */
function denseFile(
  context: BenchContext,
  folder: string,
  made: Map<string, string>,
  options: readonly string[],
): string {
  const key = options.join(" ");
  if (!made.has(key)) {
    made.clear();
    made.set(key, synthesize(context, path.join(folder, "dense.gguf"), options));
  }
  return made.get(key) as string;
}

function synthesize(context: BenchContext, file: string, options: readonly string[]): string {
  rmSync(file, { force: true });
  execFileSync(context.synthProgram, [file, "--vocabulary", context.starter, ...options], { stdio: "pipe" });
  return file;
}

function run(context: BenchContext, model: string, against: string, modes: string, threads: number): SparseOutput {
  const options = ["--against", against, "--modes", modes, "--threads", String(threads), "--json"];
  return JSON.parse(execFileSync(context.sparseBenchProgram, [model, ...options], { encoding: "utf8" }));
}

function describeModes(name: string, output: SparseOutput, least: Readonly<Record<string, number>>): Result[] {
  const { llama, kernels, readGBps } = output;
  return output.modes.flatMap(({ mode, decode, ratio, prefillRatio, active, bytesPerToken, GBps, ofRead }) => {
    const how =
      `${decode.toFixed(1)} against ${llama.decode.toFixed(1)} tok/s; ${(active * 100).toFixed(0)} % active, ` +
      `${(bytesPerToken / 1e6).toFixed(0)} MB per token, ${GBps.toFixed(1)} of ${readGBps.toFixed(1)} GB/s (${(ofRead * 100).toFixed(0)} %), ${kernels}`;
    return [
      atLeast(`${name}: ${mode} decode`, ratio, "x llama.cpp", least[mode] ?? 1, how),
      reported(`${name}: ${mode} prefill`, prefillRatio, "x llama.cpp", "prompt of 128 tokens"),
    ];
  });
}
