// How far a run is: what a resumed one need not do again. Pure, as the panel's page uses it too.
import type { EndEntry, Left, OutputEntry, RecordEntry, RunRecord } from "./entries.ts";

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

/** Takes the entries of a record in order, those that are there and those that come. */
export class Progress {
  readonly #done = new Set<string>();
  readonly #unscored = new Map<string, OutputEntry>();
  #failures = 0;

  add(entry: RecordEntry): void {
    switch (entry.type) {
      case "output":
        this.#addOutput(entry);
        break;
      case "typing":
        this.#done.add(stepKey(entry));
        break;
      case "score":
        this.#unscored.delete(stepKey(entry));
        break;
      case "failure":
        this.#failures++;
        break;
      case "resume":
        this.#failures = 0; // What had failed is tried again.
        break;
    }
  }

  /** It has its output, or its replay; warm-ups are none. */
  isDone(step: Step): boolean {
    return this.#done.has(stepKey(step));
  }

  get doneCount(): number {
    return this.#done.size;
  }

  /** Outputs of quality suites that have no score. */
  get unscored(): readonly OutputEntry[] {
    return [...this.#unscored.values()];
  }

  get left(): Left {
    return { failures: this.#failures, unscored: this.#unscored.size };
  }

  #addOutput(entry: OutputEntry): void {
    if (entry.isWarmUp) return;
    const key = stepKey(entry);
    this.#done.add(key);
    if (entry.text !== null) this.#unscored.set(key, entry); // Speed suites keep no text.
  }
}

export function progressOf({ entries }: Pick<RunRecord, "entries">): Progress {
  const progress = new Progress();
  for (const entry of entries) progress.add(entry);
  return progress;
}

/** unfinished: cut off; it can be resumed, as one that was cancelled can. */
export type RunStatus = EndEntry["status"] | "running" | "unfinished";

export const nothingLeft: Left = { failures: 0, unscored: 0 };

export function isAnythingLeft({ failures, unscored }: Left): boolean {
  return failures + unscored > 0;
}

/** False: it ended with all that it was to do. What failed since it was last resumed can be tried again. */
export function isUnfinished(record: RunRecord): boolean {
  const last = record.entries.at(-1);
  return last?.type !== "end" || last.status !== "complete" || isAnythingLeft(progressOf(record).left);
}
