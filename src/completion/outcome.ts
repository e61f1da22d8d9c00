// What a completion request ends in.
import type { GenerateStats } from "../protocol/model.ts";
import type { StepName } from "./postProcess/postProcess.ts";
import type { DropReason } from "./postProcess/step.ts";
import type { SkipReason } from "./trigger.ts";

/** Where the text came from. */
export type OutcomeSource = "typed" | "cache" | "inFlight" | "engine" | "none";

/** Why there is no text. */
export type NoneReason = SkipReason | DropReason | "superseded" | "cancelled";

/** In milliseconds, as the person who typed saw it. */
export interface OutcomeTimings {
  /** Waited for the typing to pause. */
  readonly delayMs: number;
  /** From asking the engine to its start on this request. */
  readonly queuedMs: number;
  /** From the request to the first character; null when none came. */
  readonly ttftMs: number | null;
  readonly totalMs: number;
}

/** What went in and what was done to it. Lengths, not text: traces are kept and shown. */
export interface OutcomeTrace {
  readonly prefixLength: number;
  readonly suffixLength: number;
  /** Lines asked for, at most; 1 is a single line. */
  readonly maxLines: number;
  /** What the model wrote from the cursor on; null when it was not asked or nobody waited for it. */
  readonly rawText: string | null;
  readonly changedBy: readonly StepName[];
}

export interface Outcome {
  /** Empty when the source is "none". Line ends are "\n". */
  readonly text: string;
  /** Characters after the cursor, on its line, that the text replaces. */
  readonly replaceAfter: number;
  readonly source: OutcomeSource;
  readonly reason: NoneReason | null;
  readonly timings: OutcomeTimings;
  /** The engine's own figures; null when it was not involved. */
  readonly stats: GenerateStats | null;
  readonly trace: OutcomeTrace;
}
