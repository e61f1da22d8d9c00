// What is asked of every subject. A suite is prepared once per run and is the same again, task by task, when a record is
// resumed or verified.
import type { Sandbox, VerdictOutcome } from "../sandbox/sandbox.ts";
import type { Generation, GenerationRequest } from "./subject.ts";

export const suiteIds = [
  "latency",
  "sizes",
  "starter",
  "humaneval",
  "infill-single",
  "infill-multi",
  "gsm8k-cot",
  "gsm8k-5shot",
  "keystrokes",
] as const;
export type SuiteId = (typeof suiteIds)[number];

/** Rounds of speed suites: enough for intervals though some are disturbed. */
export const defaultRounds = 10;

/** How a user wants a suite run; what a suite does not know is refused. */
export interface SuiteChoice {
  readonly id: SuiteId;
  /** Tasks taken, evenly spread over the suite; null: all. */
  readonly limit: number | null;
  /** Speed suites: measured rounds. Quality suites: samples per problem. */
  readonly repetitions: number;
  /** 0: greedy. HumanEval "HE-sampled": 0.2 with `topP` 0.95. */
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

/** What the record says of a suite. */
export interface SuiteInfo {
  readonly id: SuiteId;
  readonly title: string;
  readonly kind: "speed" | "quality" | "typing";
  /** "HE-base-greedy", "gsm8k-cot-8shot", ...; "custom" names what differs. */
  readonly protocol: string;
  readonly dataset: DatasetInfo | null;
  readonly taskCount: number;
  /** SHA-256 over the requests of all tasks in order. */
  readonly promptsSha256: string;
}

export interface DatasetInfo {
  readonly name: string;
  /** Of its text, so that a packed copy and an unpacked one are the same. */
  readonly sha256: string;
  readonly rows: number;
  /** "shipped", "fetched", "local file" */
  readonly source: string;
}

export interface GenerateTask {
  readonly kind: "generate";
  /** Unique in its suite: "HumanEval/0", "prompt-512". */
  readonly id: string;
  /** Rows of one problem are not independent: intervals are resampled by this. */
  readonly cluster: string;
  readonly request: GenerationRequest;
  /** Speed suites: asked of a subject that refuses `request`, as one without fill-in-the-middle does. */
  readonly fallback?: GenerationRequest;
  /** The subject rests this long before. */
  readonly idleMs?: number;
}

/** A recorded typing session, replayed through the real completion pipeline. */
export interface ReplayTask {
  readonly kind: "replay";
  readonly id: string;
  readonly cluster: string;
  /** The text of its file, see suites/keystrokes/trace.ts. */
  readonly trace: string;
}

export type Task = GenerateTask | ReplayTask;

/** What an output is worth. */
export interface Score {
  readonly isCorrect: boolean;
  /** Of running it, or null where nothing ran. */
  readonly verdict: VerdictOutcome | null;
  /** Further yes-or-no measures: "strict", "flexible", "exact-match". */
  readonly measures: Readonly<Record<string, boolean>>;
  /** What was extracted or why it failed, for people; at most 500 characters. */
  readonly detail: string | null;
}

export interface PreparedSuite {
  readonly info: SuiteInfo;
  readonly tasks: readonly Task[];
  /** The request of a task's nth sample: seeds differ when sampled. */
  request(task: GenerateTask, repetition: number): GenerationRequest;
  /** null for suites without quality. Pure but for the sandbox. */
  readonly score:
    | ((task: GenerateTask, output: ScoredOutput, sandbox: Sandbox | null, signal: AbortSignal) => Promise<Score>)
    | null;
  /** Runs the reference solutions; anything but all of them passing and the run refuses to report. null: has none. */
  readonly selfTest:
    | ((sandbox: Sandbox, onProgress: (done: number, total: number) => void, signal: AbortSignal) => Promise<SelfTest>)
    | null;
  /** True when `score` needs the sandbox. */
  readonly runsCode: boolean;
}

/** What of a generation counts for its score. */
export type ScoredOutput = Pick<Generation, "text" | "stopReason">;

export interface SelfTest {
  readonly total: number;
  readonly passed: number;
  /** Ids of the tasks whose reference did not pass. */
  readonly failed: readonly string[];
}
