// Whether the entries of a record fit each other. A forger who makes the chain anew has to get all of this right, too.
import type { OutputEntry, RecordEntry, RunRecord, ScoreEntry } from "../record/entries.ts";
import { sha256 } from "../record/hashes.ts";
import { progressOf, stepKey } from "../record/resume.ts";
import { type Gap, gapsIn } from "../report/gaps.ts";
import { describeState } from "../report/state.ts";
import { bad, type Check, good } from "./result.ts";

type Of<T extends RecordEntry["type"]> = Extract<RecordEntry, { type: T }>;

export function checkConsistency(record: RunRecord): Check[] {
  const { entries } = record;
  const of = <T extends RecordEntry["type"]>(type: T) => entries.filter((entry): entry is Of<T> => entry.type === type);
  const outputs = of("output");
  const scores = of("score");
  return [
    checkTexts(outputs),
    checkTimes(outputs),
    checkSteps(record, outputs, scores),
    checkScores(outputs, scores, of("selfTest"), of("isolation").length > 0),
    checkRequests(outputs, of("suite")),
    checkComplete(record, outputs, scores, of("failure")),
  ];
}

function checkTexts(outputs: readonly OutputEntry[]): Check {
  const what = "texts have their hashes";
  const wrong = outputs.filter(({ text, textSha256 }) => text !== null && sha256(text) !== textSha256);
  const kept = outputs.filter(({ text }) => text !== null).length;
  return told(what, `${kept} texts`, wrong, "texts are not those that were hashed");
}

function checkTimes(outputs: readonly OutputEntry[]): Check {
  const what = "times of an answer follow each other";
  const isOrdered = ({ ttftMs, totalMs, tokenTimes }: OutputEntry) =>
    ttftMs <= totalMs && (tokenTimes ?? []).every((time, index, all) => index === 0 || time >= (all[index - 1] ?? 0));
  return told(
    what,
    `${outputs.length} answers`,
    outputs.filter((output) => !isOrdered(output)),
    "answers have times that cannot be",
  );
}

/** Every step once, of a subject, a suite and a repetition that the plan has. */
function checkSteps(
  { run, entries }: RunRecord,
  outputs: readonly OutputEntry[],
  scores: readonly ScoreEntry[],
): Check {
  const what = "every step is of the plan, and there once";
  const subjects = new Set(run.plan.subjects.map(({ id }) => id));
  const repetitions = new Map(run.plan.suites.map((suite) => [suite.id, suite.repetitions]));
  const isPlanned = ({ subject, suite, repetition }: OutputEntry | ScoreEntry) =>
    subjects.has(subject) && repetition < (repetitions.get(suite) ?? 0);
  const measured = outputs.filter(({ isWarmUp }) => !isWarmUp);
  const wrong = [...measured, ...scores].filter((entry) => !isPlanned(entry));
  const twice = [...repeated(measured), ...repeated(scores)];
  if (wrong.length > 0) return told(what, "", wrong, "steps are not of the plan");
  const steps = entries.filter(({ type }) => type === "output" || type === "score").length;
  return told(what, `${steps} steps`, twice, "steps are there twice");
}

/** What ran code has a verdict, and that means nothing unless references passed. */
function checkScores(
  outputs: readonly OutputEntry[],
  scores: readonly ScoreEntry[],
  selfTests: readonly Of<"selfTest">[],
  wasIsolated: boolean,
): Check {
  const what = "every score has its output, and its verdict means what it says";
  const answered = new Set(outputs.filter(({ isWarmUp }) => !isWarmUp).map(stepKey));
  const orphans = scores.filter((entry) => !answered.has(stepKey(entry)));
  if (orphans.length > 0) return told(what, "", orphans, "scores have no output");
  const judged = scores.filter(({ score }) => score.verdict !== null);
  const contrary = judged.filter(({ score }) => score.isCorrect !== (score.verdict === "passed"));
  if (contrary.length > 0) return told(what, "", contrary, "scores contradict their verdict");
  if (judged.length > 0 && !wasIsolated) return bad(what, "code ran, and nothing says where");
  const failed = selfTests.find(({ result }) => result.passed !== result.total);
  if (failed)
    return bad(what, `${failed.result.passed} of ${failed.result.total} references of ${failed.suite} passed`);
  return good(what, `${scores.length} scores`);
}

/** All subjects are asked the same. Subjects without fill-in-the-middle are asked otherwise, in speed suites only. */
function checkRequests(outputs: readonly OutputEntry[], suites: readonly Of<"suite">[]): Check {
  const quality = new Set(suites.filter(({ info }) => info.kind === "quality").map(({ info }) => info.id));
  const asked = new Map<string, string>();
  const different = outputs.filter((output) => {
    if (!quality.has(output.suite) || output.isWarmUp) return false;
    const key = stepKey({ ...output, subject: "" });
    const first = asked.get(key) ?? output.requestSha256;
    asked.set(key, first);
    return first !== output.requestSha256;
  });
  return told("subjects were asked the same", `${asked.size} questions`, different, "requests differ between subjects");
}

/**
 * A run that calls itself complete has, of every subject in every suite of its plan, all that was asked for, or a line
 * that says why not; and it says how much of that there is.
 */
function checkComplete(
  record: RunRecord,
  outputs: readonly OutputEntry[],
  scores: readonly ScoreEntry[],
  failures: readonly Of<"failure">[],
): Check {
  const what = "the run is complete";
  const last = record.entries.at(-1);
  if (last?.type !== "end")
    return bad(what, "the last line is not the end of the run; lines are missing, or it can be resumed");
  if (last.status !== "complete") return bad(what, "it was cancelled");
  const { left } = progressOf(record);
  const told = describeState("complete", last.left ?? left);
  const found = describeState("complete", left);
  if (told !== found) return bad(what, `its last line says "${told}", its other lines "${found}"`);
  const hasFailed = ({ subject, suite }: Gap) =>
    failures.some((failure) => failure.subject === subject && (failure.suite ?? suite) === suite);
  const missing = gapsIn(record).filter((gap) => !hasFailed(gap));
  return missing.length > 0
    ? bad(what, missing.map((gap) => `${gap.subject} in ${gap.suite}: ${gap.what}`).join("; "))
    : good(what, `${outputs.length} outputs, ${scores.length} scores`);
}

function repeated<T extends OutputEntry | ScoreEntry>(steps: readonly T[]): T[] {
  const seen = new Set<string>();
  return steps.filter((step) => {
    const key = stepKey(step);
    const isKnown = seen.has(key);
    seen.add(key);
    return isKnown;
  });
}

function told(what: string, detail: string, wrong: readonly (OutputEntry | ScoreEntry)[], problem: string): Check {
  if (wrong.length === 0) return good(what, detail);
  const tasks = [...new Set(wrong.map(({ subject, suite, task }) => `${subject}: ${suite} ${task}`))];
  return bad(what, `${wrong.length} ${problem}`, tasks);
}
