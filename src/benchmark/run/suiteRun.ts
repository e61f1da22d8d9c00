// One suite asked of the subjects that are open.
import { throwIfCancelled } from "../../common/cancellation.ts";
import { AppError, toAppError } from "../../common/errors.ts";
import type { OutputEntry, TypingEntry } from "../record/entries.ts";
import { requestSha256, sha256 } from "../record/hashes.ts";
import type { Generation, GenerationRequest, SubjectDefinition } from "../subject.ts";
import type { GenerateTask, PreparedSuite, ReplayTask, SuiteId, Task } from "../suite.ts";
import { inFront } from "../suites/inFront.ts";
import type { EnergyMeter } from "./energy.ts";
import type { Contestant, Field } from "./field.ts";
import type { Journal } from "./journal.ts";
import type { Meter } from "./meter.ts";
import { Noise } from "./noise.ts";
import type { RunControl } from "./progress.ts";
import { withRetries } from "./retry.ts";
import { turns } from "./schedule.ts";
import type { Answer, Scoring } from "./scoring.ts";
import type { Teller } from "./teller.ts";

/** Plays a typing trace through the completion pipeline. */
export type Replay = (
  task: ReplayTask,
  subject: SubjectDefinition,
  signal: AbortSignal,
) => Promise<Omit<TypingEntry, "type" | "atMs" | "suite" | "subject" | "task" | "repetition">>;

export interface RunClock {
  /** Time of day in milliseconds. */
  now(): number;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export interface SuiteTools {
  readonly journal: Journal;
  readonly teller: Teller;
  readonly meter: Meter;
  readonly scoring: Scoring;
  readonly control: RunControl;
  readonly clock: RunClock;
  readonly energy: EnergyMeter | null;
  readonly replay: Replay | null;
}

interface Step {
  readonly suite: SuiteId;
  readonly subject: string;
  readonly task: string;
}

/** Failures in a row after which a subject is left out of the rest of a suite. */
const mostFailures = 3;

export class SuiteRun {
  readonly #suite: PreparedSuite;
  readonly #repetitions: number;
  readonly #field: Field;
  readonly #tools: SuiteTools;
  readonly #noise = new Noise();
  readonly #agreed = new Set<string>();
  /** Answers a subject failed to give since its last one. */
  readonly #failedInARow = new Map<string, number>();
  #waiting: Answer[] = [];

  constructor(suite: PreparedSuite, repetitions: number, field: Field, tools: SuiteTools) {
    this.#suite = suite;
    this.#repetitions = repetitions;
    this.#field = field;
    this.#tools = tools;
  }

  async run(contestants: readonly Contestant[]): Promise<void> {
    const { info, tasks } = this.#suite;
    const { control, journal, teller, meter } = this.#tools;
    const { isTogether } = this.#field;
    this.#collectUnscored();
    for (const turn of turns({ ...info, tasks, repetitions: this.#repetitions, subjects: contestants, isTogether })) {
      const { task, repetition, subject: contestant } = turn;
      const step = { suite: info.id, subject: contestant.id, task: task.id, repetition };
      if (journal.isDone(step) || teller.isOut(contestant.id, info.id)) continue;
      if (!isTogether || this.#waiting.some((answer) => answer.task !== task)) await this.#scoreWaiting();
      await this.#pausePoint();
      if (!(await this.#isReady(contestant))) continue;
      try {
        const spentMs = await this.#take(contestant, task, repetition);
        if (spentMs !== null) meter.count(step, spentMs);
        this.#failedInARow.delete(contestant.id);
      } catch (error) {
        throwIfCancelled(control.signal);
        await this.#miss(contestant, step, error);
      }
    }
    await this.#scoreWaiting();
    for (const { caution, subject } of this.#noise.cautions(info.title)) await teller.warn(caution, subject);
  }

  /** False: it could not be opened, which has been told. */
  async #isReady(contestant: Contestant): Promise<boolean> {
    const { control, teller } = this.#tools;
    try {
      await this.#field.ready(contestant);
      return true;
    } catch (error) {
      throwIfCancelled(control.signal);
      await teller.fail(contestant.id, null, error);
      return false;
    }
  }

  /** One failure is one missing answer; several in a row say that there will be no other. */
  async #miss(contestant: Contestant, { suite, task, subject }: Step, error: unknown): Promise<void> {
    const { teller } = this.#tools;
    const { code, message, details } = toAppError(error);
    const inARow = (this.#failedInARow.get(subject) ?? 0) + 1;
    this.#failedInARow.set(subject, inARow);
    // An engine that ended has forgotten what it held.
    if (code.startsWith("engine/") || code === "model/unloaded") await this.#field.lose(contestant);
    const told = (text: string) => new AppError(code, text, details, error);
    if (inARow < mostFailures) await teller.miss(subject, suite, told(`${task}: ${message}`));
    else
      await teller.fail(subject, suite, told(`${task}: ${message}; after ${inARow} failures in a row it is left out`));
  }

  /** Milliseconds it took; null: the subject refused. */
  async #take(contestant: Contestant, task: Task, repetition: number): Promise<number | null> {
    const { clock, teller, journal, replay, control } = this.#tools;
    const what = `${task.id} on ${contestant.label}`;
    if (task.kind === "replay") {
      if (!replay) throw new Error("a suite of typing traces needs a replay");
      await this.#warmUpTyping(contestant);
      teller.tell("measuring", what);
      const started = clock.now();
      const shown = await replay(task, contestant.subject.definition, control.signal);
      const step = { suite: "keystrokes", subject: contestant.id, task: task.id, repetition } as const;
      await journal.append({ type: "typing", ...step, ...shown });
      return clock.now() - started;
    }
    const asked = await this.#agree(contestant, task);
    if (!asked) return null;
    const request = this.#suite.request(asked, repetition);
    if (!contestant.isWarm) {
      teller.tell("warming-up", contestant.label);
      // A request of its own, as a server may answer one that it knows out of a cache.
      const own = inFront(this.#suite.request(asked, this.#repetitions), "# Warm-up\n");
      await this.#ask(contestant, asked, { request: own, repetition: this.#repetitions, isWarmUp: true });
      contestant.isWarm = true;
    }
    teller.tell("measuring", what);
    const started = clock.now();
    if (asked.idleMs) await clock.wait(asked.idleMs, control.signal);
    const output = await this.#ask(contestant, asked, { request, repetition, isWarmUp: false });
    if (this.#suite.info.kind === "speed") this.#noise.add(output);
    if (this.#suite.score) this.#waiting.push({ task: asked, output });
    return clock.now() - started;
  }

  /** Traces have no request to warm up with, and what comes of this one is part of nothing. */
  async #warmUpTyping(contestant: Contestant): Promise<void> {
    if (contestant.isWarm) return;
    this.#tools.teller.tell("warming-up", contestant.label);
    await contestant.subject.generate(warmUpRequest, this.#tools.control.signal);
    contestant.isWarm = true;
  }

  /** The task as this subject can be asked; null: not at all, and it has been told. */
  async #agree(contestant: Contestant, task: GenerateTask): Promise<GenerateTask | null> {
    const { teller } = this.#tools;
    const { info } = this.#suite;
    const objection = contestant.subject.objection(task.request);
    if (objection?.kind === "refused") {
      if (task.fallback) return this.#agree(contestant, withoutFallback(task, task.fallback));
      await teller.refuse(contestant.id, info.id, objection.message);
      return null;
    }
    if (this.#agreed.has(contestant.id)) return task;
    this.#agreed.add(contestant.id);
    if (objection) {
      const message = `${info.title}: it ${objection.message}.`;
      const advice = "Read figures of whole texts with this in mind; those per token hold.";
      await teller.warn({ code: "limited", message, advice }, contestant.id);
    }
    const { definition } = contestant.subject;
    // llama-server is asked to take nothing from its cache.
    if (info.kind === "quality" && definition.kind === "server" && definition.api !== "llama-server") {
      const message = `${info.title}: a server may know the beginnings of prompts from its cache.`;
      const advice = "Compare its scores; compare times in the latency suite, whose prompts no cache knows.";
      await teller.warn({ code: "server-cache", message, advice }, contestant.id);
    }
    return task;
  }

  async #ask(
    contestant: Contestant,
    task: GenerateTask,
    asked: { readonly request: GenerationRequest; readonly repetition: number; readonly isWarmUp: boolean },
  ): Promise<Given> {
    const { control, journal, energy, clock } = this.#tools;
    const { info } = this.#suite;
    const isSpeed = info.kind === "speed";
    const meter = isSpeed ? energy : null;
    const generate = async () => {
      const before = await meter?.read();
      const generation = await contestant.subject.generate(asked.request, control.signal);
      const after = await meter?.read();
      return { generation, joules: before === undefined || after === undefined ? null : after - before };
    };
    const { generation, joules } = await withRetries(generate, clock, control.signal);
    const { request, repetition, isWarmUp } = asked;
    const step = { suite: info.id, subject: contestant.id, task: task.id, repetition };
    const measures = { ...measuresOf(generation, isSpeed), joules };
    const entry = { type: "output", ...step, isWarmUp, requestSha256: requestSha256(request), ...measures } as const;
    await journal.append(entry);
    if (generation.stats?.cutTokens) await this.#warnOfCut(contestant);
    return entry;
  }

  async #warnOfCut(contestant: Contestant): Promise<void> {
    await this.#tools.teller.warn(
      {
        code: "truncated-prompt",
        message: `${this.#suite.info.title}: prompts do not fit in its context and are cut.`,
        advice: "Give it a longer context, or leave it out of this suite.",
      },
      contestant.id,
    );
  }

  async #pausePoint(): Promise<void> {
    const { control, teller, clock } = this.#tools;
    throwIfCancelled(control.signal);
    if (!control.isPaused) return;
    const started = clock.now();
    teller.tell("paused", "paused");
    await control.whenRunning();
    throwIfCancelled(control.signal);
    this.#field.cool();
    const seconds = Math.round((clock.now() - started) / 1000);
    const message = `The run was paused for ${seconds} s in ${this.#suite.info.title}.`;
    await teller.warn({ code: "paused", message, advice: "Nothing: all subjects were warmed up again." });
  }

  #collectUnscored(): void {
    const tasks = new Map(this.#suite.tasks.map((task) => [task.id, task]));
    for (const output of this.#tools.journal.unscored(this.#suite.info.id)) {
      const task = tasks.get(output.task);
      if (task?.kind === "generate") this.#waiting.push({ task, output });
    }
  }

  async #scoreWaiting(): Promise<void> {
    const { scoring, clock, meter, control } = this.#tools;
    for (const answer of this.#waiting.splice(0)) {
      throwIfCancelled(control.signal);
      const started = clock.now();
      await scoring.score(this.#suite, answer);
      meter.add({ suite: this.#suite.info.id, subject: answer.output.subject }, clock.now() - started);
    }
  }
}

const warmUpRequest: GenerationRequest = {
  prompt: { kind: "text", text: "# Warm-up\nfor number in range(10):\n" },
  maxTokens: 16,
  maxLines: 0,
  stop: [],
  temperature: 0,
  topP: 1,
  seed: 0,
  ignoreEnd: true,
  timeLimitMs: 0,
};

type Given = Omit<OutputEntry, "atMs">;

function withoutFallback({ fallback: _, ...task }: GenerateTask, request: GenerationRequest): GenerateTask {
  return { ...task, request };
}

function measuresOf(generation: Generation, isSpeed: boolean) {
  const { text, stats, tokenTimesMs } = generation;
  return {
    text: isSpeed ? null : text,
    textSha256: sha256(text),
    stopReason: generation.stopReason,
    promptTokens: generation.promptTokens,
    generatedTokens: generation.generatedTokens,
    ttftMs: generation.ttftMs,
    totalMs: generation.totalMs,
    tokenTimes: isSpeed ? tokenTimesMs.map((ms) => Math.round(10 * ms)) : null,
    prefillTokensPerSecond: stats?.prefillTokensPerSecond ?? null,
    decodeTokensPerSecond: stats?.decodeTokensPerSecond ?? null,
    activeShare: stats?.sparsity?.activeShare ?? null,
    bytesPerToken: stats?.sparsity?.bytesPerToken ?? null,
    overlaps: generation.overlaps,
  };
}
