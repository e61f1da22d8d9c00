// How long a run will take, told before it starts: from sizes and from what has been typical.
import type { SubjectDefinition } from "../subject.ts";
import type { SuiteChoice, SuiteId } from "../suite.ts";
import type { RunPlan } from "./plan.ts";
import { isFor } from "./schedule.ts";

/** What is known of a plan's subjects before they are opened. */
export interface EstimateFacts {
  /** Bytes read per token, by subject; a server's are not known. */
  readonly modelBytes: ReadonlyMap<string, number>;
  /** Bytes per second at which the weights are read. */
  readonly bandwidth: number;
}

export interface Estimate {
  readonly leastMs: number;
  readonly mostMs: number;
}

interface Work {
  readonly tasks: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Beside generating: scoring, resting, the time of recorded typing. */
  readonly besideMs: number;
}

/** Means over a suite. Texts that end by themselves are taken to be as long as good answers are. */
const works: Readonly<Record<SuiteId, Work>> = {
  latency: { tasks: 5, promptTokens: 420, outputTokens: 100, besideMs: 1000 },
  sizes: { tasks: 2, promptTokens: 160, outputTokens: 100, besideMs: 0 },
  starter: { tasks: 80, promptTokens: 120, outputTokens: 50, besideMs: 500 },
  humaneval: { tasks: 164, promptTokens: 150, outputTokens: 150, besideMs: 500 },
  "infill-single": { tasks: 1033, promptTokens: 250, outputTokens: 20, besideMs: 500 },
  "infill-multi": { tasks: 5815, promptTokens: 250, outputTokens: 60, besideMs: 500 },
  "gsm8k-cot": { tasks: 1319, promptTokens: 900, outputTokens: 150, besideMs: 0 },
  "gsm8k-5shot": { tasks: 1319, promptTokens: 1000, outputTokens: 150, besideMs: 0 },
  keystrokes: { tasks: 3, promptTokens: 0, outputTokens: 0, besideMs: 60_000 },
};

/**
 * A prompt's token takes this share of a generated one's time: 0.15 to 0.4 were measured on two cores with 5 MB and
 * 300 MB of weights. More cores make it less, so that it is the range below that has to cover them.
 */
const prefillShare = 0.25;
const writeBytesPerSecond = 0.5e9;
const loadBytesPerSecond = 1e9;
/** Of a server whose model is not known: a small one on a GPU, a large one on a processor. */
const unknownBytes = 4e9;

/** Measured runs lay between half and twice of what is reckoned here; unknown ones may be off by more. */
const range = { least: 0.4, most: 2.5 } as const;

export function estimate({ subjects, suites }: RunPlan, facts: EstimateFacts): Estimate {
  let ms = 0;
  for (const subject of subjects) {
    const chosen = suites.filter(({ id }) => isFor(id, subject));
    if (chosen.length === 0) continue;
    ms += openingMs(subject, bytesOf(subject, facts));
    for (const suite of chosen) ms += suiteMs(suite, (1000 * bytesOf(subject, facts)) / facts.bandwidth);
  }
  return { leastMs: range.least * ms, mostMs: range.most * ms };
}

/** How long one task of a suite takes, in tokens generated: to compare suites by. */
export function tokensPerTask(suite: SuiteId): number {
  const { promptTokens, outputTokens } = works[suite];
  return outputTokens + prefillShare * promptTokens;
}

function suiteMs({ id, limit, repetitions }: SuiteChoice, tokenMs: number): number {
  const { tasks, besideMs } = works[id];
  return Math.min(limit ?? tasks, tasks) * repetitions * (tokenMs * tokensPerTask(id) + besideMs);
}

function openingMs(subject: SubjectDefinition, bytes: number): number {
  if (subject.kind === "server") return 0;
  const written = subject.kind === "synthetic" ? bytes / writeBytesPerSecond : 0;
  return 1000 * (written + bytes / loadBytesPerSecond);
}

function bytesOf({ id }: SubjectDefinition, { modelBytes }: EstimateFacts): number {
  return modelBytes.get(id) ?? unknownBytes;
}
