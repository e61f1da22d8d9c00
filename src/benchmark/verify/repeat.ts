// Level 3: the same subjects, asked again on this machine, write the same; and how fast, beside what the record says.
import { isCancelled, toAppError } from "../../common/errors.ts";
import type { OutputEntry, RunRecord } from "../record/entries.ts";
import { requestSha256, sha256 } from "../record/hashes.ts";
import { formatInterval } from "../report/numbers.ts";
import { readTimed } from "../report/speed.ts";
import { ratioOf } from "../statistics/pairs.ts";
import type { GenerationRequest, Subject, SubjectDefinition, SubjectFacts } from "../subject.ts";
import type { PreparedSuite } from "../suite.ts";
import { prepare, type RescoreDeps, type Sample, spread, suitesOf } from "./rescore.ts";
import { bad, type Check, good } from "./result.ts";

export interface RepeatDeps extends Pick<RescoreDeps, "prepareSuite"> {
  /** Not opened yet. Rejects when its model is not on this machine. */
  createSubject(definition: SubjectDefinition, facts: SubjectFacts): Promise<Subject>;
}

/**
 * Of suites that always take the likeliest token. Rounding differs between processors and between GPUs and may turn a
 * close decision, so honest records may fail here on another machine: the result says which texts differ, and people
 * judge. Typing is not repeated.
 */
export async function checkGenerations(record: RunRecord, deps: RepeatDeps, sample: Sample): Promise<Check[]> {
  const checks: Check[] = [];
  const suites: PreparedSuite[] = [];
  for (const info of [...suitesOf(record, "quality"), ...suitesOf(record, "speed")]) {
    if (record.run.plan.suites.find(({ id }) => id === info.id)?.temperature !== 0) continue;
    const { suite, check } = await prepare(record, info, deps);
    checks.push(check);
    if (suite) suites.push(suite);
  }
  const repeated: Check[] = [];
  for (const definition of record.run.plan.subjects)
    repeated.push(...(await repeatSubject(record, definition, suites, deps, sample)));
  if (repeated.length === 0)
    repeated.push(bad("texts are written again", "there is nothing that could be asked again"));
  return [...checks, ...repeated];
}

async function repeatSubject(
  record: RunRecord,
  definition: SubjectDefinition,
  suites: readonly PreparedSuite[],
  deps: RepeatDeps,
  sample: Sample,
): Promise<Check[]> {
  const what = `${definition.label} writes the same texts`;
  const facts = record.entries.find((entry) => entry.type === "subject" && entry.subject === definition.id);
  if (facts?.type !== "subject") return []; // It could not be opened in the run either.
  const onOpening = (step: string, fraction: number) => sample.onProgress(`${definition.label}: ${step}`, fraction, 1);
  let subject: Subject | null = null;
  try {
    subject = await deps.createSubject(definition, facts.facts);
    const own = await subject.open(onOpening, sample.signal);
    if (own.sha256 !== facts.facts.sha256)
      return [bad(what, `its file has the hash ${own.sha256}, in the record ${facts.facts.sha256}`)];
    const asked = suites.flatMap((suite) => questionsOf(record, definition.id, suite, sample.limit));
    return await repeat(definition, subject, asked, sample);
  } catch (error) {
    if (isCancelled(error)) throw error;
    return [bad(what, toAppError(error).message)];
  } finally {
    await subject?.close();
  }
}

interface Question {
  readonly request: GenerationRequest | null;
  readonly output: OutputEntry;
}

/** The first repetition of each task. */
function questionsOf({ entries }: RunRecord, subject: string, suite: PreparedSuite, limit: number | null): Question[] {
  const known = new Map(suite.tasks.map((task) => [task.id, task]));
  const outputs = entries
    .filter((entry) => entry.type === "output")
    .filter((output) => output.subject === subject && output.suite === suite.info.id)
    .filter(({ isWarmUp, repetition }) => !isWarmUp && repetition === 0);
  return spread(outputs, limit).map((output) => {
    const task = known.get(output.task);
    if (task?.kind !== "generate") return { request: null, output };
    // Subjects without fill-in-the-middle were asked by the fallback.
    const { fallback } = task;
    const tasks = [task, ...(fallback ? [{ ...task, request: fallback }] : [])];
    const requests = tasks.map((each) => suite.request(each, output.repetition));
    const request = requests.find((each) => requestSha256(each) === output.requestSha256) ?? null;
    return { request, output };
  });
}

async function repeat(
  { label }: SubjectDefinition,
  subject: Subject,
  questions: readonly Question[],
  { signal, onProgress }: Sample,
): Promise<Check[]> {
  const what = `${label} writes the same texts`;
  const different: string[] = [];
  const pairs: [number, number][] = [];
  for (const [index, { request, output }] of questions.entries()) {
    onProgress(`Asking ${label}`, index, questions.length);
    if (!request) {
      different.push(`${output.suite} ${output.task} (asked something else)`);
      continue;
    }
    const { text, tokenTimesMs, ...again } = await subject.generate(request, signal);
    if (sha256(text) !== output.textSha256) different.push(`${output.suite} ${output.task}`);
    const tokenTimes = tokenTimesMs.map((ms) => 10 * ms);
    const [recorded, here] = [readTimed.tpotMs(output), readTimed.tpotMs({ ...output, ...again, tokenTimes })];
    if (recorded && here) pairs.push([recorded, here]);
  }
  if (questions.length === 0) return [];
  const ratio = ratioOf(pairs);
  const times = (value: number) => value.toFixed(2);
  const speed = ratio
    ? `; ${times(ratio.value)}${formatInterval(ratio.interval, times)} times as fast as in the record`
    : "";
  if (different.length === 0) return [good(what, `${questions.length} texts${speed}`)];
  const advice = "on another processor or GPU, rounding may turn a close decision";
  return [bad(what, `${different.length} of ${questions.length} differ (${advice})${speed}`, different)];
}
