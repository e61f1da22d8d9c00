// What of a run's plan its record lacks, and which of its failures still say why.
import type { FailureEntry, RecordEntry, RunRecord } from "../record/entries.ts";
import { isFor, leftOut } from "../run/schedule.ts";
import type { SuiteChoice, SuiteId, SuiteInfo } from "../suite.ts";

/** Of one subject in one suite. */
export interface Gap {
  readonly subject: string;
  readonly suite: SuiteId;
  /** "39 of 40 outputs, 38 scores" */
  readonly what: string;
}

/** Without what a subject could not be asked. */
export function gapsIn({ run, entries }: RunRecord): Gap[] {
  const infos = new Map(entries.flatMap((entry) => (entry.type === "suite" ? [[entry.info.id, entry.info]] : [])));
  const warnings = entries.filter((entry) => entry.type === "warning");
  const refusals = warnings.filter(({ code }) => code === "refused");
  const isRefused = (id: string, suite: SuiteId) =>
    refusals.some(({ subject, message }) => subject === id && message.startsWith(leftOut(suite)));
  const count = stepCounts(entries);
  return run.plan.suites.flatMap((choice) => {
    const asked = run.plan.subjects.filter((subject) => isFor(choice.id, subject) && !isRefused(subject.id, choice.id));
    return asked.flatMap(({ id: subject }) => {
      const what = gapOf(choice, infos.get(choice.id), (type) => count(type, choice.id, subject));
      return what === null ? [] : [{ subject, suite: choice.id, what }];
    });
  });
}

type StepType = "output" | "typing" | "score";

function gapOf(
  { repetitions }: SuiteChoice,
  info: SuiteInfo | undefined,
  count: (type: StepType) => number,
): string | null {
  if (!info) return "nothing, not even the suite";
  const wanted = info.taskCount * repetitions;
  const there = count(info.kind === "typing" ? "typing" : "output");
  const isScored = info.kind === "quality";
  const scored = count("score");
  if (there === wanted && (!isScored || scored === wanted)) return null;
  const kind = info.kind === "typing" ? "replays" : "outputs";
  return `${there} of ${wanted} ${kind}${isScored ? `, ${scored} scores` : ""}`;
}

function stepCounts(entries: readonly RecordEntry[]) {
  const counts = new Map<string, number>();
  const keyOf = (type: StepType, suite: SuiteId, subject: string) => `${type} ${suite} ${subject}`;
  for (const entry of entries) {
    if (entry.type !== "output" && entry.type !== "typing" && entry.type !== "score") continue;
    if (entry.type === "output" && entry.isWarmUp) continue;
    const key = keyOf(entry.type, entry.suite, entry.subject);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return (...step: Parameters<typeof keyOf>) => counts.get(keyOf(...step)) ?? 0;
}

export interface Failures {
  /** Something of their subject in their suite is missing still. */
  readonly open: readonly FailureEntry[];
  /** How many there were of which nothing is missing since the run was resumed. */
  readonly madeGood: number;
}

/** What failed again after the run was resumed is told as it failed the last time. */
export function failuresIn(record: RunRecord): Failures {
  const gaps = gapsIn(record);
  const isMissing = ({ subject, suite }: FailureEntry) =>
    gaps.some((gap) => gap.subject === subject && (suite ?? gap.suite) === gap.suite);
  const failed: { readonly failure: FailureEntry; readonly part: number }[] = [];
  const newest = new Map<string, number>();
  let part = 0;
  for (const entry of record.entries) {
    if (entry.type === "resume") part++;
    if (entry.type !== "failure") continue;
    failed.push({ failure: entry, part });
    newest.set(placeOf(entry), part);
    // Who failed in a suite could be opened, whatever was before.
    newest.set(placeOf({ ...entry, suite: null }), part);
  }
  const earlier = failed.filter((each) => each.part < part);
  const good = new Set(earlier.flatMap(({ failure }) => (isMissing(failure) ? [] : [failure])));
  const isLast = (each: (typeof failed)[number]) => newest.get(placeOf(each.failure)) === each.part;
  const open = failed.filter((each) => isLast(each) && !good.has(each.failure)).map(({ failure }) => failure);
  return { open, madeGood: good.size };
}

function placeOf({ subject, suite }: FailureEntry): string {
  return JSON.stringify([subject, suite]);
}
