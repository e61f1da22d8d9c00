// Figures of speed from raw samples.
import type { OutputEntry } from "../record/entries.ts";
import { describeGroups, type Figure, mean, quantile } from "../statistics/quantile.ts";
import type { SubjectFacts } from "../subject.ts";
import { groupBy } from "./group.ts";

/** null: not measured, or not in this way. */
export interface TimedFigures {
  /** From the request to the first text. */
  readonly ttftMs: Figure | null;
  /** From the request to the first token, which may have no text: half a character, or what is to be healed. */
  readonly firstTokenMs: Figure | null;
  /** Per token after the first. */
  readonly tpotMs: Figure | null;
  /** From the request to the 25th, 50th and 100th token. */
  readonly e2e25Ms: Figure | null;
  readonly e2e50Ms: Figure | null;
  readonly e2e100Ms: Figure | null;
  /** Tokens per second, by the engine's clock. */
  readonly prefill: Figure | null;
  readonly decode: Figure | null;
}

export interface SpeedFigures extends TimedFigures {
  /** Samples in the figures. */
  readonly samples: number;
  /** Left out, as something else ran in the engine at the same time. */
  readonly disturbed: number;
  readonly activeShare: number | null;
  /** Of weights; estimated: a dense model reads its whole file. */
  readonly bytesPerToken: number | null;
  readonly isBytesPerTokenEstimated: boolean;
  /** Weights read per second while decoding, and that as a share of what the memory was measured to give. */
  readonly bytesPerSecond: number | null;
  readonly bandwidthShare: number | null;
  readonly joulesPerToken: number | null;
}

export type TimedFigure = keyof TimedFigures;

/** How each is read from a sample; null: the sample does not tell. */
export const readTimed: Readonly<Record<TimedFigure, (output: OutputEntry) => number | null>> = {
  ttftMs: ({ ttftMs }) => ttftMs,
  firstTokenMs: (output) => timeOfToken(output, 1),
  tpotMs: timePerToken,
  e2e25Ms: (output) => timeOfToken(output, 25),
  e2e50Ms: (output) => timeOfToken(output, 50),
  e2e100Ms: (output) => timeOfToken(output, 100),
  prefill: ({ prefillTokensPerSecond }) => prefillTokensPerSecond || null,
  decode: ({ decodeTokensPerSecond }) => decodeTokensPerSecond || null,
};

/** Each of them, described. */
export function timedFigures(describe: (name: TimedFigure) => Figure | null): TimedFigures {
  const names = Object.keys(readTimed) as TimedFigure[];
  return Object.fromEntries(names.map((name) => [name, describe(name)])) as unknown as TimedFigures;
}

/** Without warm-ups; what was disturbed is told and left out. */
export function isMeasured({ isWarmUp, overlaps }: OutputEntry): boolean {
  return !isWarmUp && overlaps === 0;
}

/** Tasks named "idle-..." come after a rest of the machine, which is told apart. */
export function isRested({ task }: { readonly task: string }): boolean {
  return !task.startsWith("idle");
}

export function speedFigures(
  outputs: readonly OutputEntry[],
  facts: SubjectFacts | null,
  memoryBandwidth: number | null,
): SpeedFigures {
  const measured = outputs.filter(isMeasured);
  const prompts = [...groupBy(measured, ({ task }) => task).values()];
  const timed = timedFigures((name) => describeGroups(prompts.map((taken) => known(taken.map(readTimed[name])))));
  return {
    ...timed,
    samples: measured.length,
    disturbed: outputs.filter(({ isWarmUp, overlaps }) => !isWarmUp && overlaps > 0).length,
    activeShare: meanOrNull(known(measured.map(({ activeShare }) => activeShare))),
    joulesPerToken: joulesPerToken(measured),
    ...bandwidth(
      medianOrNull(known(measured.map(({ bytesPerToken }) => bytesPerToken))),
      timed.tpotMs,
      facts,
      memoryBandwidth,
    ),
  };
}

type Bandwidth = Pick<SpeedFigures, "bytesPerToken" | "isBytesPerTokenEstimated" | "bytesPerSecond" | "bandwidthShare">;

export function bandwidth(
  counted: number | null,
  tpotMs: Figure | null,
  facts: SubjectFacts | null,
  memoryBandwidth: number | null,
): Bandwidth {
  const bytesPerToken = counted ?? wholeFile(facts);
  const bytesPerSecond = bytesPerToken !== null && tpotMs ? (1000 * bytesPerToken) / tpotMs.typical : null;
  // What a GPU reads is not read from this memory.
  const isOnCpu = facts?.hot === null && !/\b(?:CUDA|Vulkan|Metal|ROCm|SYCL)/i.test(facts.placement ?? "");
  return {
    bytesPerToken,
    isBytesPerTokenEstimated: counted === null && bytesPerToken !== null,
    bytesPerSecond,
    bandwidthShare: bytesPerSecond !== null && memoryBandwidth && isOnCpu ? bytesPerSecond / memoryBandwidth : null,
  };
}

/** What a model whose every weight counts for every token reads, within the share of its embeddings. */
function wholeFile(facts: SubjectFacts | null): number | null {
  if (!facts || facts.method === "server" || facts.method === "hot/cold") return null;
  return /moe/i.test(facts.architecture ?? "") ? null : facts.fileBytes;
}

/**
 * Between the first and the last token. The first text may come tokens after the first token, so TTFT stands in for it
 * only where a server tells no times of tokens.
 */
function timePerToken(output: OutputEntry): number | null {
  const { ttftMs, totalMs, generatedTokens } = output;
  if (generatedTokens < 2) return null;
  // Of an answer without any text a server tells only when it was over.
  if (ttftMs >= totalMs && timeOfToken(output, 1) === null) return null;
  const [first, last] = [timeOfToken(output, 1), timeOfToken(output, generatedTokens)];
  return ((last ?? totalMs) - (first ?? ttftMs)) / (generatedTokens - 1);
}

/** Servers send chunks, which need not be tokens. */
function timeOfToken({ tokenTimes, generatedTokens }: OutputEntry, token: number): number | null {
  const time = tokenTimes?.length === generatedTokens ? tokenTimes[token - 1] : undefined;
  return time === undefined ? null : time / 10;
}

function joulesPerToken(outputs: readonly OutputEntry[]): number | null {
  let [joules, tokens] = [0, 0];
  for (const output of outputs) {
    if (output.joules === null) continue;
    joules += output.joules;
    tokens += output.generatedTokens;
  }
  return tokens > 0 ? joules / tokens : null;
}

export function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

export function medianOrNull(values: readonly number[]): number | null {
  return values.length > 0 ? quantile(values, 0.5) : null;
}

function meanOrNull(values: readonly number[]): number | null {
  return values.length > 0 ? mean(values) : null;
}
