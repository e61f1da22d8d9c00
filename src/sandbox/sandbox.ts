// Where code written by a model runs: what a program gets, what comes back, and how far it was shut in. Two places exist,
// a worker in the benchmark panel and a confined child process; both take programs and give verdicts by this contract.

/** Limits of one program; what exceeds one is ended and the place is replaced. */
export const sandboxLimits = {
  /**
   * Of the clock on the wall, which is all that a page sees of a worker's time: a program gets the same verdict in both
   * places. HumanEval's own harness gives 3 s to a Python that is about three times as fast.
   */
  wallMs: 10_000,
  memoryBytes: 1 << 30,
  /** Of what a place itself sends, its verdict included. What a program prints is dropped where it is printed. */
  outputBytes: 64 * 1024,
} as const;

export type VerdictOutcome =
  /** The program ran to its end; nothing else passes, an early exit included. */
  | "passed"
  /** It raised an exception, or left before its end. */
  | "failed"
  | "syntax-error"
  /** More time than it has. */
  | "timeout"
  | "memory"
  /** The interpreter died or sent what it never sends. */
  | "crashed";

export interface Verdict {
  readonly outcome: VerdictOutcome;
  /** The last line of the traceback or what else happened, at most 500 characters; null when passed. */
  readonly message: string | null;
  readonly wallMs: number;
}

/** One wall around the program: tried at the start, not believed. */
export interface IsolationLayer {
  /** "seccomp", "landlock", "namespaces", "permission flag", "content security policy", ... */
  readonly name: string;
  readonly isPresent: boolean;
  /** What was tried and what came back. */
  readonly detail: string;
}

export interface Isolation {
  readonly place: "panel" | "child";
  /** reduced: a layer is missing, or the platform's have not been attacked by us; runs only after its own consent. */
  readonly level: "full" | "reduced";
  readonly layers: readonly IsolationLayer[];
  /** "Pyodide 314.0.7, CPython 3.14.2" */
  readonly interpreter: string;
}

export interface Sandbox {
  readonly isolation: Isolation;
  /**
   * Runs Python source in a fresh interpreter, without input, files or network. One at a time; calls wait for each other.
   * Rejects with `request/cancelled` when the signal fires and with `sandbox/unavailable` when no place could be made.
   */
  run(source: string, signal?: AbortSignal): Promise<Verdict>;
  dispose(): void;
}
