// What of a run is done: what a resumed one need not do again.
import type { OutputEntry, RunRecord } from "./entries.ts";

/** One answer of one subject. */
export interface Step {
  readonly suite: string;
  readonly subject: string;
  readonly task: string;
  readonly repetition: number;
}

/** Equal for equal steps. */
export function stepKey({ suite, subject, task, repetition }: Step): string {
  return JSON.stringify([suite, subject, task, repetition]);
}

export interface Progress {
  /** Keys of steps with an output, or a replay; warm-ups are none. */
  readonly done: ReadonlySet<string>;
  /** Outputs of quality suites that were not scored yet. */
  readonly unscored: readonly OutputEntry[];
}

export function progressOf({ entries }: RunRecord): Progress {
  const done = new Set<string>();
  const scored = new Set<string>();
  const quality = new Set<string>();
  for (const entry of entries) {
    if (entry.type === "suite" && entry.info.kind === "quality") quality.add(entry.info.id);
    if (entry.type === "typing" || (entry.type === "output" && !entry.isWarmUp)) done.add(stepKey(entry));
    if (entry.type === "score") scored.add(stepKey(entry));
  }
  const isUnscored = (entry: OutputEntry) => quality.has(entry.suite) && !entry.isWarmUp && !scored.has(stepKey(entry));
  return { done, unscored: entries.filter((entry) => entry.type === "output").filter(isUnscored) };
}
