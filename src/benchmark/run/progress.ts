// What a run tells while it goes on.

export type RunPhase = "preparing" | "opening" | "warming-up" | "measuring" | "scoring" | "paused" | "ended";

export interface RunProgress {
  readonly runId: string;
  readonly phase: RunPhase;
  /** For people: "HumanEval/12 on starter (exact)". */
  readonly what: string;
  readonly done: number;
  readonly total: number;
  /** From what the work of this run has taken so far; null while nothing has been done. */
  readonly remainingMs: number | null;
}

/** How a user steers a run. A pause takes effect after the generation under way; a cancel ends that, too. */
export interface RunControl {
  readonly signal: AbortSignal;
  readonly isPaused: boolean;
  /** Resolves at once, or when the user has resumed. */
  whenRunning(): Promise<void>;
}
