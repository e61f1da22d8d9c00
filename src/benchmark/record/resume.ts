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

/** False: it ended with all that it was to do. What failed since it was last resumed can be tried again. */
export function isUnfinished(record: RunRecord): boolean {
  const { entries } = record;
  const last = entries.at(-1);
  if (last?.type !== "end" || last.status !== "complete") return true;
  const latest = entries.slice(entries.findLastIndex(({ type }) => type === "resume") + 1);
  return latest.some(({ type }) => type === "failure") || progressOf(record).unscored.length > 0;
}
