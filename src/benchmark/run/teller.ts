// What a run tells while it goes on: to the user, how far it is; to the record, what went wrong.
import { type ErrorCode, toAppError } from "../../common/errors.ts";
import type { Caution } from "../record/entries.ts";
import type { SuiteId } from "../suite.ts";
import type { Journal } from "./journal.ts";
import type { Meter } from "./meter.ts";
import type { RunPhase, RunProgress } from "./progress.ts";
import { leftOut } from "./schedule.ts";

export interface Failure {
  readonly subject: string;
  /** null: in all suites from there on. Else one answer of it, or the rest of it. */
  readonly suite: SuiteId | null;
  readonly code: ErrorCode;
  readonly message: string;
}

export class Teller {
  readonly #journal: Journal;
  readonly #meter: Meter;
  readonly #onProgress: (progress: RunProgress) => void;
  readonly #failures: Failure[] = [];
  /** Suites that subjects are left out of; those left out of the run are by their id alone. */
  readonly #out = new Set<string>();
  readonly #warned = new Set<string>();

  constructor(journal: Journal, meter: Meter, onProgress: (progress: RunProgress) => void) {
    this.#journal = journal;
    this.#meter = meter;
    this.#onProgress = onProgress;
  }

  get failures(): readonly Failure[] {
    return this.#failures;
  }

  tell(phase: RunPhase, what: string): void {
    const { done, total, remainingMs } = this.#meter;
    this.#onProgress({ runId: this.#journal.runId, phase, what, done, total, remainingMs });
  }

  /** Each warning is told once. */
  async warn(caution: Caution, subject: string | null = null): Promise<void> {
    const key = JSON.stringify([caution, subject]);
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    await this.#journal.append({ type: "warning", ...caution, subject });
  }

  /** Leaves the subject out, of one suite or from here on. */
  async fail(subject: string, suite: SuiteId | null, thrown: unknown): Promise<void> {
    this.#leaveOut(subject, suite);
    await this.#note(subject, suite, thrown);
  }

  /** One answer is missing, and the subject goes on. */
  async miss(subject: string, suite: SuiteId, thrown: unknown): Promise<void> {
    this.#meter.miss({ suite, subject });
    await this.#note(subject, suite, thrown);
  }

  /** Leaves the subject out of a suite that it cannot do, which is no failure. */
  async refuse(subject: string, suite: SuiteId, message: string): Promise<void> {
    this.#leaveOut(subject, suite);
    const advice = "Compare it in the other suites, or ask the model by another kind of server.";
    await this.warn({ code: "refused", message: `${leftOut(suite)} it ${message}.`, advice }, subject);
  }

  isOut(subject: string, suite: SuiteId): boolean {
    return this.#out.has(subject) || this.#out.has(keyOf(subject, suite));
  }

  async #note(subject: string, suite: SuiteId | null, thrown: unknown): Promise<void> {
    const { code, message } = toAppError(thrown);
    this.#failures.push({ subject, suite, code, message });
    await this.#journal.append({ type: "failure", subject, suite, code, message });
  }

  #leaveOut(subject: string, suite: SuiteId | null): void {
    this.#out.add(suite === null ? subject : keyOf(subject, suite));
    this.#meter.drop((kind) => kind.subject === subject && (suite ?? kind.suite) === kind.suite);
  }
}

const keyOf = (subject: string, suite: SuiteId) => `${suite}/${subject}`;
