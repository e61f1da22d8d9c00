// Which subject to complete with.
import type { RunRecord, ScoreEntry } from "../record/entries.ts";
import { shareOfTrue } from "../statistics/rates.ts";
import type { SuiteId } from "../suite.ts";
import { answerKey, compareQuality } from "./compare.ts";
import { groupBy } from "./group.ts";
import { formatMs, formatShare } from "./numbers.ts";
import { counted } from "./state.ts";
import type { RunSummary, SubjectSummary } from "./summary.ts";

export interface Recommendation {
  /** Id of a subject; null: none can be recommended. */
  readonly subject: string | null;
  /** For people. */
  readonly reason: string;
}

/** What is nearest to completing code comes first. */
const order: readonly SuiteId[] = ["infill-single", "infill-multi", "humaneval", "starter", "gsm8k-cot", "gsm8k-5shot"];

/** Fewer tell hardly any difference. */
const leastTasks = 20;
/** Below, what so few flips say is taken for a difference. */
const leastAlike = 0.05;

interface Candidate {
  readonly subject: SubjectSummary;
  readonly latencyMs: number;
}

interface Scored extends Candidate {
  readonly scores: readonly ScoreEntry[];
}

interface Rated extends Scored {
  /** Share of the tasks that all candidates answered. */
  readonly quality: number;
}

/**
 * Of those that write a line, 25 tokens, within the budget: the best by what all of them answered, and of those that
 * cannot be told from it the fastest; where no answers can be compared, the largest. Completions are computed here, so
 * servers are none, and what was computed from a few layers did not fit here whole. `summary`: of the record.
 */
export function recommend(record: RunRecord, summary: RunSummary, budgetMs: number): Recommendation {
  const timed = summary.subjects.flatMap((subject): Candidate[] => {
    const latencyMs = subject.headline?.e2e25Ms?.typical;
    const isElsewhere = subject.isPart || subject.computedFrom !== null || subject.method === "server";
    return latencyMs === undefined || isElsewhere ? [] : [{ subject, latencyMs }];
  });
  const suite = suiteOf(record, summary, timed);
  const all = suite?.candidates ?? timed;
  const [fastest] = all.toSorted(byLatency);
  if (!fastest)
    return { subject: null, reason: "No speed of a model of this machine has been measured: add the latency sweep." };
  if (fastest.latencyMs > budgetMs) {
    const reason = `None writes 25 tokens within ${formatMs(budgetMs)}; the fastest, ${fastest.subject.label}, takes ${formatMs(fastest.latencyMs)}.`;
    return { subject: null, reason };
  }
  const isFast = ({ latencyMs }: Candidate) => latencyMs <= budgetMs;
  return suite ? byQuality(suite, suite.candidates.filter(isFast), budgetMs) : bySize(all.filter(isFast), budgetMs);
}

function byLatency(a: Candidate, b: Candidate): number {
  return a.latencyMs - b.latencyMs;
}

/** `fast`: those of the suite that are fast enough, at least one. */
function byQuality({ title }: RankedSuite, fast: readonly Scored[], budgetMs: number): Recommendation {
  const budget = formatMs(budgetMs);
  const { count, rated } = ratedOf(fast);
  if (count < leastTasks)
    return { subject: null, reason: `Only ${count} tasks of ${title} were answered by all, too few to compare by.` };
  const [best] = rated.toSorted((a, b) => b.quality - a.quality || byLatency(a, b)) as [Rated];
  if (best.quality === 0)
    return {
      subject: null,
      reason: `None of those that write 25 tokens within ${budget} solves anything of ${title}.`,
    };
  const [chosen = best, ...others] = rated
    .filter((other) => other === best || isAlike(best, other))
    .toSorted(byLatency);
  const what = `${writes(chosen)} and solves ${formatShare(chosen.quality)} of ${count} tasks of ${title}`;
  const most = rated.length > 1 ? "the most of those" : "the only one";
  const why =
    others.length === 0
      ? `${most} within ${budget}`
      : `the fastest of those within ${budget} that cannot be told from the best, which are also ${listed(others)}`;
  return { subject: chosen.subject.id, reason: `${what}: ${why}.` };
}

/** `fast`: at least one. */
function bySize(fast: readonly Candidate[], budgetMs: number): Recommendation {
  const sizeOf = ({ subject }: Candidate) => subject.facts?.parameterCount ?? 0;
  const [chosen] = fast.toSorted((a, b) => sizeOf(b) - sizeOf(a) || byLatency(a, b)) as [Candidate];
  const rank = fast.length > 1 ? `, the largest of ${fast.length} within ${formatMs(budgetMs)}` : "";
  const reason = `${writes(chosen)}${rank}. How good its answers are was not measured; the starter set or HumanEval tells, with ${leastTasks} tasks or more.`;
  return { subject: chosen.subject.id, reason };
}

function writes({ subject, latencyMs }: Candidate): string {
  return `${subject.label} writes 25 tokens in ${formatMs(latencyMs)}`;
}

/** More names would hide the answer. */
const othersNamed = 3;

function listed(others: readonly Candidate[]): string {
  const named = others.slice(0, othersNamed).map(({ subject }) => subject.label);
  const more = others.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${counted(more, "other")}` : "");
}

interface RankedSuite {
  readonly id: SuiteId;
  readonly title: string;
  readonly candidates: readonly Scored[];
}

/** The one in which most subjects can be compared. */
function suiteOf(record: RunRecord, summary: RunSummary, timed: readonly Candidate[]): RankedSuite | null {
  const infos = summary.suites.map(({ info }) => info).filter(({ id }) => order.includes(id));
  const ranked = infos
    .map(({ id, title }) => ({ id, title, candidates: scoredOf(record, timed, id) }))
    .filter(({ candidates }) => candidates.length > 0)
    .sort((a, b) => b.candidates.length - a.candidates.length || order.indexOf(a.id) - order.indexOf(b.id));
  return ranked[0] ?? null;
}

function scoredOf({ entries }: RunRecord, timed: readonly Candidate[], suite: SuiteId): Scored[] {
  const bySubject = groupBy(
    entries.filter((entry) => entry.type === "score").filter((entry) => entry.suite === suite),
    ({ subject }) => subject,
  );
  return timed.flatMap((candidate) => {
    const scores = bySubject.get(candidate.subject.id) ?? [];
    return new Set(scores.map(({ task }) => task)).size < leastTasks ? [] : [{ ...candidate, scores }];
  });
}

/** By the answers that all of them gave. */
function ratedOf(candidates: readonly Scored[]): { count: number; rated: Rated[] } {
  const keys = candidates.map(({ scores }) => new Set(scores.map(answerKey)));
  const rated = candidates.map((candidate) => {
    const scores = candidate.scores.filter((entry) => keys.every((own) => own.has(answerKey(entry))));
    return { ...candidate, scores, quality: shareOfTrue(scores.map(({ score }) => score.isCorrect)) };
  });
  return { count: new Set(rated[0]?.scores.map(({ task }) => task)).size, rated };
}

function isAlike(best: Rated, other: Rated): boolean {
  const compared = compareQuality(best.scores, other.scores);
  return compared !== null && compared.pValue >= leastAlike;
}
