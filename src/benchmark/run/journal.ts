// The record as a run writes it and, when it is resumed, has written it before.
import {
  type Left,
  type OutputEntry,
  type RecordEntry,
  type RunEntry,
  type RunRecord,
  recordVersion,
} from "../record/entries.ts";
import { type Progress, progressOf, type Step } from "../record/resume.ts";
import type { SubjectFacts } from "../subject.ts";
import type { SuiteId, SuiteInfo } from "../suite.ts";

/** Where entries go. `append` resolves when the entry would survive the end of the process. */
export interface EntrySink {
  append(entry: RecordEntry): Promise<void>;
}

/** A fresh record, whose file is made with its first line, or one to go on with. */
export type RecordTarget =
  | { readonly previous: null; readonly runId: string; create(run: RunEntry): Promise<EntrySink> }
  | { readonly previous: RunRecord; readonly sink: EntrySink };

type Untimed<T> = T extends { readonly atMs: number } ? Omit<T, "atMs"> : never;
export type JournalEntry = Untimed<RecordEntry>;

type FirstLine = Pick<RunEntry, "plan" | "environment">;

export class Journal {
  readonly runId: string;
  readonly #sink: EntrySink;
  readonly #now: () => number;
  readonly #startMs: number;
  /** Of the last entry: clocks are set back now and then, and times in a record are not. */
  #atMs: number;
  readonly #previous: RunRecord | null;
  readonly #progress: Progress;
  /** Of each subject, when it was first opened. */
  readonly #facts = new Map<string, SubjectFacts>();

  private constructor(run: RunEntry, sink: EntrySink, now: () => number, previous: RunRecord | null) {
    this.runId = run.runId;
    this.#sink = sink;
    this.#now = now;
    this.#startMs = Date.parse(run.startedAt);
    this.#atMs = atMsOf(previous?.entries.at(-1));
    this.#previous = previous;
    this.#progress = progressOf(previous ?? { entries: [] });
    for (const entry of previous?.entries ?? []) this.#noteFacts(entry);
  }

  /** `now` is the time of day in milliseconds. */
  static async begin(target: RecordTarget, { plan, environment }: FirstLine, now: () => number): Promise<Journal> {
    const at = new Date(now()).toISOString();
    if (target.previous) {
      const journal = new Journal(target.previous.run, target.sink, now, target.previous);
      await journal.append({ type: "resume", resumedAt: at, environment });
      return journal;
    }
    const { runId } = target;
    const run: RunEntry = { type: "run", version: recordVersion, runId, startedAt: at, plan, environment };
    return new Journal(run, await target.create(run), now, null);
  }

  async append(entry: JournalEntry): Promise<void> {
    this.#atMs = Math.max(this.#atMs, this.#now() - this.#startMs);
    const timed = { ...entry, atMs: this.#atMs } as RecordEntry;
    await this.#sink.append(timed);
    this.#progress.add(timed);
    this.#noteFacts(timed);
  }

  get left(): Left {
    return this.#progress.left;
  }

  isDone(step: Step): boolean {
    return this.#progress.isDone(step);
  }

  /** What was answered, also before the record was cut off, and has no score. */
  unscored(suite: SuiteId): OutputEntry[] {
    return this.#progress.unscored.filter((entry) => entry.suite === suite);
  }

  /** What the suite was when the run began; null: it had not come to it, or the run begins now. */
  suiteBefore(suite: SuiteId): SuiteInfo | null {
    const found = this.#previous?.entries.find((entry) => entry.type === "suite" && entry.info.id === suite);
    return found?.type === "suite" ? found.info : null;
  }

  /** What the subject was when the run first opened it; null: it was not. */
  factsBefore(subject: string): SubjectFacts | null {
    return this.#facts.get(subject) ?? null;
  }

  #noteFacts(entry: RecordEntry): void {
    if (entry.type === "subject" && !this.#facts.has(entry.subject)) this.#facts.set(entry.subject, entry.facts);
  }
}

function atMsOf(entry: RecordEntry | undefined): number {
  return entry && entry.type !== "run" ? entry.atMs : 0;
}
