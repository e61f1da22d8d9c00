// Level 2: the stored outputs, scored again, are worth the same.
import { isCancelled, toAppError } from "../../common/errors.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import type { OutputEntry, RunRecord, ScoreEntry } from "../record/entries.ts";
import { requestSha256 } from "../record/hashes.ts";
import { stepKey } from "../record/resume.ts";
import type { GenerateTask, PreparedSuite, Score, SuiteChoice, SuiteInfo } from "../suite.ts";
import { bad, type Check, good } from "./result.ts";

export interface RescoreDeps {
  prepareSuite(choice: SuiteChoice): Promise<PreparedSuite>;
  /** Called when code is to run, once. Rejects with `sandbox/unavailable`. */
  createSandbox(): Promise<Sandbox>;
}

export interface Sample {
  /** Outputs looked at per suite, evenly spread; null: all. */
  readonly limit: number | null;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

export async function checkScores(record: RunRecord, deps: RescoreDeps, sample: Sample): Promise<Check[]> {
  const checks: Check[] = [];
  let sandbox: Sandbox | null = null;
  try {
    for (const info of suitesOf(record, "quality")) {
      const prepared = await prepare(record, info, deps);
      checks.push(prepared.check);
      if (!prepared.suite) continue;
      if (prepared.suite.runsCode) sandbox ??= await deps.createSandbox();
      checks.push(await rescore(record, prepared.suite, sandbox, sample));
    }
  } catch (error) {
    if (isCancelled(error)) throw error;
    checks.push(bad("outputs can be scored here", toAppError(error).message));
  } finally {
    sandbox?.dispose();
  }
  return checks.length > 0 ? checks : [good("outputs are worth their scores", "the run has no suite with scores")];
}

/** Each once, by the last word where a record says a suite twice. */
export function suitesOf({ entries }: RunRecord, kind: SuiteInfo["kind"]): SuiteInfo[] {
  const infos = entries.filter((entry) => entry.type === "suite").map(({ info }) => info);
  return [...new Map(infos.map((info) => [info.id, info])).values()].filter((info) => info.kind === kind);
}

/** Makes the suite as the run had it; what differs is told. */
export async function prepare(
  { run }: RunRecord,
  info: SuiteInfo,
  { prepareSuite }: Pick<RescoreDeps, "prepareSuite">,
): Promise<{ suite: PreparedSuite | null; check: Check }> {
  const what = `${info.title} asks the same questions here`;
  const choice = run.plan.suites.find(({ id }) => id === info.id);
  if (!choice) return { suite: null, check: bad(what, "the plan of the run does not have it") };
  try {
    const suite = await prepareSuite(choice);
    const differing = differences(info, suite.info);
    if (differing.length > 0) return { suite: null, check: bad(what, differing.join("; ")) };
    return { suite, check: good(what, `${info.taskCount} tasks, ${info.protocol}`) };
  } catch (error) {
    if (isCancelled(error)) throw error;
    return { suite: null, check: bad(what, toAppError(error).message) };
  }
}

function differences(recorded: SuiteInfo, here: SuiteInfo): string[] {
  const facts = (info: SuiteInfo): Record<string, unknown> => ({
    protocol: info.protocol,
    "hash of the data set": info.dataset?.sha256 ?? null,
    "number of tasks": info.taskCount,
    "hash of the prompts": info.promptsSha256,
  });
  const own = facts(here);
  return Object.entries(facts(recorded))
    .filter(([name, value]) => own[name] !== value)
    .map(([name, value]) => `${name}: ${String(value)} in the record, ${String(own[name])} here`);
}

async function rescore(
  record: RunRecord,
  suite: PreparedSuite,
  sandbox: Sandbox | null,
  sample: Sample,
): Promise<Check> {
  const what = `${suite.info.title}: outputs are worth their scores`;
  const steps = spread(stepsOf(record, suite), sample.limit);
  const wrong: string[] = [];
  const explanations: string[] = [];
  for (const [index, { task, output, score }] of steps.entries()) {
    sample.onProgress(`Scoring ${suite.info.title}`, index, steps.length);
    const problem = await problemOf({ task, output, score }, suite, sandbox, sample.signal);
    if (problem === null) continue;
    wrong.push(`${output.subject}: ${output.task}`);
    if (explanations.length < 3) explanations.push(`${output.task}: ${problem}`);
  }
  if (wrong.length === 0) return good(what, `${steps.length} outputs`);
  return bad(what, `${wrong.length} of ${steps.length} differ (${explanations.join("; ")})`, wrong);
}

interface ScoredStep {
  readonly task: GenerateTask | null;
  readonly output: OutputEntry;
  readonly score: ScoreEntry | null;
}

function stepsOf({ entries }: RunRecord, { info, tasks }: PreparedSuite): ScoredStep[] {
  const byId = new Map(tasks.flatMap((task) => (task.kind === "generate" ? [[task.id, task] as const] : [])));
  const scores = new Map(entries.filter((entry) => entry.type === "score").map((entry) => [stepKey(entry), entry]));
  return entries
    .filter((entry) => entry.type === "output")
    .filter((output) => output.suite === info.id && !output.isWarmUp)
    .map((output) => ({ task: byId.get(output.task) ?? null, output, score: scores.get(stepKey(output)) ?? null }));
}

/** null: all is as recorded. */
async function problemOf(
  { task, output, score }: ScoredStep,
  suite: PreparedSuite,
  sandbox: Sandbox | null,
  signal: AbortSignal,
): Promise<string | null> {
  if (!task) return "there is no such task";
  if (requestSha256(suite.request(task, output.repetition)) !== output.requestSha256)
    return "it was asked something else";
  if (output.text === null) return "its text was not kept";
  if (!score || !suite.score) return "it has no score";
  const { stopReason, text } = output;
  const again = () => suite.score?.(task, { text, stopReason }, sandbox, signal) ?? null;
  const first = await again();
  // A program near a limit of time falls on either side of it: the benefit of the doubt, once.
  const found = first && isSame(first, score.score) ? first : await again();
  if (found && isSame(found, score.score)) return null;
  return `recorded as ${describe(score.score)}, here ${found ? describe(found) : "nothing"}`;
}

function isSame(a: Score, b: Score): boolean {
  const measures = (score: Score) => JSON.stringify(Object.entries(score.measures).sort());
  return a.isCorrect === b.isCorrect && a.verdict === b.verdict && measures(a) === measures(b);
}

function describe({ isCorrect, verdict, measures }: Score): string {
  const told = Object.entries(measures).map(([name, value]) => `${name} ${value ? "yes" : "no"}`);
  return [isCorrect ? "correct" : "wrong", ...(verdict ? [verdict] : []), ...told].join(", ");
}

/** So many of them, from the first to the last. */
export function spread<T>(items: readonly T[], limit: number | null): T[] {
  if (limit === null || items.length <= limit) return [...items];
  return Array.from({ length: limit }, (_, index) => items[Math.floor((index * items.length) / limit)] as T);
}
