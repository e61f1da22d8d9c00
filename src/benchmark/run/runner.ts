// A benchmark run from its plan to its record.
import { AppError, isCancelled } from "../../common/errors.ts";
import type { Environment } from "../record/entries.ts";
import type { Subject, SubjectDefinition } from "../subject.ts";
import type { PreparedSuite, SuiteChoice, SuiteInfo } from "../suite.ts";
import type { EnergyMeter } from "./energy.ts";
import { cautionsAbout, differences } from "./environment.ts";
import { Field } from "./field.ts";
import { Journal, type RecordTarget } from "./journal.ts";
import { Meter } from "./meter.ts";
import type { RunPlan } from "./plan.ts";
import type { RunControl, RunProgress } from "./progress.ts";
import { checkPlan, inOrder, isFor, wavesOf } from "./schedule.ts";
import { type SandboxAccess, Scoring } from "./scoring.ts";
import { type Replay, type RunClock, SuiteRun, type SuiteTools } from "./suiteRun.ts";
import { type Failure, Teller } from "./teller.ts";

export interface RunDeps {
  environment(signal: AbortSignal): Promise<Environment>;
  prepareSuite(choice: SuiteChoice, signal: AbortSignal): Promise<PreparedSuite>;
  createSubject(definition: SubjectDefinition): Subject;
  /** null: the user did not allow that what models wrote is run. */
  readonly sandbox: SandboxAccess | null;
  /** null: suites of typing traces are refused. */
  readonly replay: Replay | null;
  /** null: the system does not tell. */
  readonly energy: EnergyMeter | null;
  readonly clock: RunClock;
}

export interface RunOutcome {
  readonly runId: string;
  readonly status: "complete" | "cancelled";
  readonly failures: readonly Failure[];
}

/**
 * Measures every subject by every suite and writes all of it down as it comes. What fails is left out and told, the rest
 * goes on. A record that was begun before is completed: only what is missing is done. Rejects when nothing can be
 * measured or written, or cancelled before the record was begun.
 */
export async function runBenchmark(
  plan: RunPlan,
  target: RecordTarget,
  deps: RunDeps,
  control: RunControl,
  onProgress: (progress: RunProgress) => void,
): Promise<RunOutcome> {
  if (!target.previous) checkPlan(plan);
  const environment = await deps.environment(control.signal);
  const journal = await Journal.begin(target, { plan, environment }, deps.clock.now);
  const meter = new Meter();
  const teller = new Teller(journal, meter, onProgress);
  const run = new Run(plan, { deps, journal, meter, teller, control });
  for (const caution of cautionsAbout(environment)) await teller.warn(caution);
  if (target.previous) await warnOfDifferences(teller, target.previous.run.environment, environment);
  let status: RunOutcome["status"] = "complete";
  try {
    await run.go();
  } catch (error) {
    if (!(isCancelled(error) && control.signal.aborted)) throw error;
    status = "cancelled";
  } finally {
    await run.close();
  }
  await journal.append({ type: "end", status, left: journal.left });
  teller.tell("ended", status);
  return { runId: journal.runId, status, failures: teller.failures };
}

interface RunParts {
  readonly deps: RunDeps;
  readonly journal: Journal;
  readonly meter: Meter;
  readonly teller: Teller;
  readonly control: RunControl;
}

interface ChosenSuite {
  readonly prepared: PreparedSuite;
  readonly info: PreparedSuite["info"];
  readonly repetitions: number;
}

class Run {
  readonly #plan: RunPlan;
  readonly #parts: RunParts;
  readonly #scoring: Scoring;
  #field: Field | null = null;

  constructor(plan: RunPlan, parts: RunParts) {
    this.#plan = plan;
    this.#parts = parts;
    const { journal, teller, control, deps } = parts;
    const labels = new Map(plan.subjects.map(({ id, label }) => [id, label]));
    this.#scoring = new Scoring(deps.sandbox, { journal, teller, signal: control.signal, labels });
  }

  async go(): Promise<void> {
    const suites = inOrder(await this.#prepareSuites());
    for (const suite of suites) this.#expect(suite);
    for (const wave of wavesOf(this.#plan.subjects)) await this.#measure(wave, suites);
  }

  async close(): Promise<void> {
    this.#scoring.close();
    await this.#field?.close();
  }

  async #prepareSuites(): Promise<ChosenSuite[]> {
    const { deps, teller, control, journal } = this.#parts;
    const suites: ChosenSuite[] = [];
    for (const choice of this.#plan.suites) {
      teller.tell("preparing", choice.id);
      try {
        const prepared = await deps.prepareSuite(choice, control.signal);
        const { info } = prepared;
        const before = journal.suiteBefore(info.id);
        if (before) await this.#compare(before, info);
        else await journal.append({ type: "suite", info });
        suites.push({ prepared, info, repetitions: choice.repetitions });
      } catch (error) {
        await this.#refuse(choice.id, this.#plan.subjects, error);
      }
    }
    return suites;
  }

  async #compare(before: SuiteInfo, info: SuiteInfo): Promise<void> {
    if (before.promptsSha256 !== info.promptsSha256) throw otherQuestions(info);
    const [was, now] = [before, info].map(({ dataset }) => dataset?.sha256 ?? null);
    if (was === now) return;
    await this.#parts.teller.warn({
      code: "other-data",
      message: `${info.title} asks the same, but its data set had the hash ${was} when the run began, now ${now}.`,
      advice: "Score it anew with `hotpath verify`: tests and answers may be others.",
    });
  }

  #expect(suite: ChosenSuite): void {
    for (const subject of this.#plan.subjects) {
      const count = this.#missing(suite, subject);
      if (count > 0) this.#parts.meter.expect({ suite: suite.info.id, subject: subject.id }, count);
    }
  }

  /** How many answers of it the record does not hold yet. */
  #missing({ info, prepared, repetitions }: ChosenSuite, subject: SubjectDefinition): number {
    if (!isFor(info.id, subject)) return 0;
    let count = 0;
    for (const task of prepared.tasks)
      for (let repetition = 0; repetition < repetitions; repetition++)
        if (!this.#parts.journal.isDone({ suite: info.id, subject: subject.id, task: task.id, repetition })) count++;
    return count;
  }

  async #measure(wave: readonly SubjectDefinition[], suites: readonly ChosenSuite[]): Promise<void> {
    const { deps, journal, teller, control } = this.#parts;
    const wanted = suites.filter((suite) => wave.some((subject) => this.#isLeft(suite, subject)));
    const asked = wave.filter((subject) => wanted.some((suite) => this.#missing(suite, subject) > 0));
    const create = (definition: SubjectDefinition) => deps.createSubject(definition);
    const field = new Field(asked, create, { journal, teller, signal: control.signal });
    this.#field = field;
    await field.open();
    for (const suite of wanted) await this.#runSuite(suite, wave, field);
    await field.close();
    this.#field = null;
  }

  async #runSuite(suite: ChosenSuite, wave: readonly SubjectDefinition[], field: Field): Promise<void> {
    const { prepared, info, repetitions } = suite;
    const { deps, control, journal, teller } = this.#parts;
    const suits = field.contestants.filter(({ subject }) => isFor(info.id, subject.definition));
    const contestants = suits.filter(({ id }) => !teller.isOut(id, info.id));
    if (contestants.length === 0 && journal.unscored(info.id).length === 0) return;
    const tools: SuiteTools = { ...this.#parts, ...deps, scoring: this.#scoring };
    try {
      await this.#scoring.prepare(prepared);
      await new SuiteRun(prepared, repetitions, field, tools).run(contestants);
    } catch (error) {
      if (control.signal.aborted) throw error;
      // Also those of whom nothing but scores is missing, and who were not opened for that.
      const concerned = wave.filter((subject) => this.#isLeft(suite, subject) && !teller.isOut(subject.id, info.id));
      await this.#refuse(info.id, concerned, error);
    }
  }

  /** Something of it is to be done: asked, or scored. */
  #isLeft(suite: ChosenSuite, subject: SubjectDefinition): boolean {
    const isUnscored = this.#parts.journal.unscored(suite.info.id).some((output) => output.subject === subject.id);
    return isUnscored || this.#missing(suite, subject) > 0;
  }

  /** Leaves a suite out; what was cancelled is not its failure. */
  async #refuse(suite: SuiteChoice["id"], subjects: readonly SubjectDefinition[], error: unknown): Promise<void> {
    if (this.#parts.control.signal.aborted) throw error;
    for (const subject of subjects) if (isFor(suite, subject)) await this.#parts.teller.fail(subject.id, suite, error);
  }
}

async function warnOfDifferences(teller: Teller, before: Environment, now: Environment): Promise<void> {
  const changes = differences(before, now);
  if (changes.length === 0) return;
  await teller.warn({
    code: "resumed",
    message: `The run was resumed on a machine that is not what it was: ${changes.join("; ")}.`,
    advice: "Do not compare the speed of its first part with that of its last; better run it anew.",
  });
}

function otherQuestions(info: SuiteInfo): AppError {
  const message = `${info.title} does not ask what it asked when the run began; start a new run instead of resuming this one`;
  return new AppError("record/invalid", message, { suite: info.id, promptsSha256: info.promptsSha256 });
}
