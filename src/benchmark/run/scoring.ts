// Scores what models wrote, in a sandbox where it is code that runs.
import { AppError } from "../../common/errors.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import type { OutputEntry } from "../record/entries.ts";
import type { GenerateTask, PreparedSuite, SelfTest } from "../suite.ts";
import type { Journal } from "./journal.ts";
import type { Teller } from "./teller.ts";

/** A place to run code in, for which the user was asked. */
export interface SandboxAccess {
  /** reduced: also where a layer of isolation is missing. */
  readonly consent: "full" | "reduced";
  create(signal: AbortSignal): Promise<Sandbox>;
}

/** An answer that waits for its score. */
export interface Answer {
  readonly task: GenerateTask;
  readonly output: Pick<OutputEntry, "subject" | "repetition" | "text" | "stopReason">;
}

export class Scoring {
  readonly #access: SandboxAccess | null;
  readonly #journal: Journal;
  readonly #teller: Teller;
  readonly #signal: AbortSignal;
  readonly #labels: ReadonlyMap<string, string>;
  #sandbox: Sandbox | null = null;

  constructor(
    access: SandboxAccess | null,
    told: {
      readonly journal: Journal;
      readonly teller: Teller;
      readonly signal: AbortSignal;
      /** Of subjects, by their ids. */
      readonly labels: ReadonlyMap<string, string>;
    },
  ) {
    this.#access = access;
    this.#journal = told.journal;
    this.#teller = told.teller;
    this.#signal = told.signal;
    this.#labels = told.labels;
  }

  /** Rejects when the suite's scores would mean nothing: no sandbox, or a reference solution does not pass in it. */
  async prepare({ info, runsCode, selfTest }: PreparedSuite): Promise<void> {
    if (!runsCode) return;
    const sandbox = await this.#opened(info.title);
    if (!selfTest) return;
    const what = `reference solutions of ${info.title}`;
    const onProgress = (done: number, total: number) => this.#teller.tell("preparing", `${what}, ${done} of ${total}`);
    const result = await selfTest(sandbox, onProgress, this.#signal);
    await this.#journal.append({ type: "selfTest", suite: info.id, result });
    if (result.passed !== result.total) throw untrustworthy(info.title, result);
  }

  async score({ info, score }: PreparedSuite, { task, output }: Answer): Promise<void> {
    if (!score) return;
    const { subject, repetition, text, stopReason } = output;
    this.#teller.tell("scoring", `${task.id} by ${this.#labels.get(subject) ?? subject}`);
    const result = await score(task, { text: text ?? "", stopReason }, this.#sandbox, this.#signal);
    const step = { suite: info.id, subject, task: task.id, cluster: task.cluster, repetition };
    await this.#journal.append({ type: "score", ...step, score: result });
  }

  close(): void {
    this.#sandbox?.dispose();
    this.#sandbox = null;
  }

  async #opened(title: string): Promise<Sandbox> {
    if (this.#sandbox) return this.#sandbox;
    if (!this.#access)
      throw unavailable(`${title} runs code that a model wrote, which was not allowed (in a terminal: --allow-code)`);
    const { consent, create } = this.#access;
    const sandbox = await create(this.#signal);
    const { isolation } = sandbox;
    await this.#journal.append({ type: "isolation", isolation, consent });
    if (isolation.level === "reduced" && consent === "full") {
      sandbox.dispose();
      const missing = isolation.layers.filter(({ isPresent }) => !isPresent).map(({ name }) => name);
      throw unavailable(
        `${title} runs code that a model wrote, and isolation is reduced here (without ${missing.join(", ") || "tested layers"}), which was not allowed (in a terminal: --allow-reduced)`,
      );
    }
    this.#sandbox = sandbox;
    return sandbox;
  }
}

function unavailable(message: string): AppError {
  return new AppError("sandbox/unavailable", message);
}

function untrustworthy(title: string, { passed, total, failed }: SelfTest): AppError {
  const some = failed.slice(0, 5).join(", ") + (failed.length > 5 ? ", …" : "");
  return new AppError(
    "sandbox/unavailable",
    `${title}: ${passed} of ${total} reference solutions passed, so scores would mean nothing; not ${some}`,
    { passed, total },
  );
}
