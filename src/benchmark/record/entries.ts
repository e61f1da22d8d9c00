// The run record: one JSON object per line of `record.jsonl`, appended as results arrive. media/benchmark/
// record-1.schema.json is its published schema. Every line ends in `chain`, the SHA-256 over the chain of the line
// before (nothing for the first) and the line's own text without it, so that what was changed, dropped or moved shows.

import type { StopReason } from "../../protocol/model.ts";
import type { Isolation } from "../../sandbox/sandbox.ts";
import type { RunPlan } from "../run/plan.ts";
import type { SubjectFacts } from "../subject.ts";
import type { Score, SelfTest, SuiteId, SuiteInfo } from "../suite.ts";

export const recordVersion = 1;

/** Where and with what a run was made. null: could not be found out. */
export interface Environment {
  readonly productVersion: string;
  readonly nodeVersion: string;
  readonly os: string;
  readonly arch: string;
  readonly cpu: string;
  readonly logicalCores: number;
  readonly memoryBytes: number;
  readonly gpus: readonly { readonly name: string; readonly memoryBytes: number; readonly driver: string | null }[];
  readonly power: "ac" | "battery" | null;
  /** Of the CPU frequency: "performance", "powersave", ... */
  readonly governor: string | null;
  readonly llamaVersion: string | null;
  readonly cpuVariant: string | null;
  /** Measured streaming bandwidth of memory, bytes per second. */
  readonly memoryBandwidth: number | null;
}

/** First line. */
export interface RunEntry {
  readonly type: "run";
  readonly version: typeof recordVersion;
  readonly runId: string;
  readonly startedAt: string;
  readonly plan: RunPlan;
  readonly environment: Environment;
}

/** Everything below says when, in milliseconds since the start of the run. */
interface Timed {
  readonly atMs: number;
}

export interface SubjectEntry extends Timed {
  readonly type: "subject";
  readonly subject: string;
  readonly facts: SubjectFacts;
}

export interface SuiteEntry extends Timed {
  readonly type: "suite";
  readonly info: SuiteInfo;
}

export interface IsolationEntry extends Timed {
  readonly type: "isolation";
  readonly isolation: Isolation;
  readonly consent: "full" | "reduced";
}

export interface SelfTestEntry extends Timed {
  readonly type: "selfTest";
  readonly suite: SuiteId;
  readonly result: SelfTest;
}

/** One generation: the raw sample of speed and, in quality suites, what is scored. */
export interface OutputEntry extends Timed {
  readonly type: "output";
  readonly suite: SuiteId;
  readonly subject: string;
  readonly task: string;
  /** From 0; rounds or samples. */
  readonly repetition: number;
  /** Before the first measured one of a subject; not part of any figure. */
  readonly isWarmUp: boolean;
  /** Of the request as JSON. */
  readonly requestSha256: string;
  /** null in speed suites, whose text has no meaning. */
  readonly text: string | null;
  readonly textSha256: string;
  readonly stopReason: StopReason | null;
  readonly promptTokens: number | null;
  readonly generatedTokens: number;
  readonly ttftMs: number;
  readonly totalMs: number;
  /** Speed suites only, in tenths of milliseconds since the request. */
  readonly tokenTimes: readonly number[] | null;
  readonly prefillTokensPerSecond: number | null;
  readonly decodeTokensPerSecond: number | null;
  readonly activeShare: number | null;
  readonly bytesPerToken: number | null;
  /** Joules of the processor package during it; null: the OS does not tell. */
  readonly joules: number | null;
  readonly overlaps: number;
}

/** What the replay of a typing trace showed. */
export interface TypingEntry extends Timed {
  readonly type: "typing";
  readonly suite: "keystrokes";
  readonly subject: string;
  readonly task: string;
  readonly repetition: number;
  /** Changes of the text. */
  readonly keystrokes: number;
  /** From each keystroke whose text had to be computed (inFlight, engine) to that text, in milliseconds. */
  readonly latenciesMs: readonly number[];
  /** Keystrokes that a text was shown for. */
  readonly shown: number;
  /**
   * Keystrokes that it was clear for before the next change of the text or the cursor whether there is a text; the
   * others were overtaken, and their latencies are not known.
   */
  readonly answered: number;
  /** Generations that were started and given up before their end. */
  readonly cancelled: number;
  /** Generations that ran while the engine did something else for somebody else; they may have taken longer. */
  readonly overlaps: number;
  /** Of every keystroke: typed, cache, inFlight, engine, none. */
  readonly sources: Readonly<Record<string, number>>;
  /** Typed characters that stood on the screen as a suggestion when they were typed. */
  readonly savedCharacters: number;
  readonly typedCharacters: number;
}

export interface ScoreEntry extends Timed {
  readonly type: "score";
  readonly suite: SuiteId;
  readonly subject: string;
  readonly task: string;
  /** Of the task: what intervals are resampled by. */
  readonly cluster: string;
  readonly repetition: number;
  readonly score: Score;
}

export interface WarningEntry extends Timed, Caution {
  readonly type: "warning";
  readonly subject: string | null;
}

/** What makes figures worth less than they seem. */
export interface Caution {
  /** "overlap", "battery", "noisy", "truncated-prompt", "resumed", "paused", ... */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

/** A subject that could not be opened, failed in a suite or failed to give one answer, as the message says. */
export interface FailureEntry extends Timed {
  readonly type: "failure";
  readonly subject: string;
  readonly suite: SuiteId | null;
  readonly code: string;
  readonly message: string;
}

/** The run goes on after a crash or a pause over an end of the program. */
export interface ResumeEntry extends Timed {
  readonly type: "resume";
  readonly resumedAt: string;
  readonly environment: Environment;
}

/**
 * Last line. A record without it was cut off and can be resumed; so can one that was cancelled, and one that is complete
 * but for what is left.
 */
export interface EndEntry extends Timed {
  readonly type: "end";
  readonly status: "complete" | "cancelled";
  /** Not in records of before it was told; what they hold says the same. */
  readonly left?: Left;
}

/** What resuming a run would try again. */
export interface Left {
  /** Since the run began, or was last resumed. */
  readonly failures: number;
  /** Answers of quality suites without a score. */
  readonly unscored: number;
}

export type RecordEntry =
  | RunEntry
  | SubjectEntry
  | SuiteEntry
  | IsolationEntry
  | SelfTestEntry
  | OutputEntry
  | TypingEntry
  | ScoreEntry
  | WarningEntry
  | FailureEntry
  | ResumeEntry
  | EndEntry;

/** A record as read from its file. */
export interface RunRecord {
  readonly run: RunEntry;
  /** All lines in order; `entries[0]` is `run`. */
  readonly entries: readonly RecordEntry[];
  /** The last line was torn by a crash and is left out. */
  readonly isTorn: boolean;
}
