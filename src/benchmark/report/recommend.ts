// Which subject to complete with.
import type { RunRecord, ScoreEntry } from "../record/entries.ts";
import { shareOfTrue } from "../statistics/rates.ts";
import type { SuiteId } from "../suite.ts";
import { answerKey, compareQuality } from "./compare.ts";
import { groupBy } from "./group.ts";
import { formatMs, formatShare } from "./numbers.ts";
import { type RunSummary, type SubjectSummary, summarize } from "./summary.ts";

export interface Recommendation {
  /** Id of a subject; null: none can be recommended. */
  readonly subject: string | null;
  /** One sentence for people. */
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
  readonly scores: readonly ScoreEntry[];
}

interface Rated extends Candidate {
  /** Share of the tasks that all candidates answered. */
  readonly quality: number;
}

/**
 * Of those that write a line, 25 tokens, within the budget: the best by what all of them answered, and of those that
 * cannot be told from it the fastest. Completions are computed here, so servers are none.
 */
export function recommend(record: RunRecord, budgetMs: number): Recommendation {
  const summary = summarize(record);
  const suite = suiteOf(record, summary);
  if (!suite)
    return {
      subject: null,
      reason: `No model of this machine has its latency and ${leastTasks} tasks or more of a suite measured, so none can be compared.`,
    };
  const budget = formatMs(budgetMs);
  const fast = suite.candidates.filter(({ latencyMs }) => latencyMs <= budgetMs);
  const { count, rated } = ratedOf(fast);
  const [best] = rated.toSorted((a, b) => b.quality - a.quality || a.latencyMs - b.latencyMs);
  if (!best) {
    const [fastest] = suite.candidates.toSorted((a, b) => a.latencyMs - b.latencyMs);
    const nearest = fastest ? `; the fastest, ${fastest.subject.label}, takes ${formatMs(fastest.latencyMs)}` : "";
    return { subject: null, reason: `None writes 25 tokens within ${budget}${nearest}.` };
  }
  if (count < leastTasks)
    return {
      subject: null,
      reason: `Only ${count} tasks of ${suite.title} were answered by all, too few to compare by.`,
    };
  if (best.quality === 0)
    return {
      subject: null,
      reason: `None of those that write 25 tokens within ${budget} solves anything of ${suite.title}.`,
    };
  const alike = rated.filter((other) => other === best || isAlike(best, other));
  const [chosen = best] = alike.toSorted((a, b) => a.latencyMs - b.latencyMs);
  const others = alike.filter((other) => other !== chosen).map(({ subject }) => subject.label);
  const rank = `among those that write 25 tokens within ${budget}`;
  const what = `${chosen.subject.label} solves ${formatShare(chosen.quality)} of ${count} tasks of ${suite.title}`;
  const reason =
    others.length === 0
      ? `${what}, the most ${rank}, in ${formatMs(chosen.latencyMs)}.`
      : `${what} in ${formatMs(chosen.latencyMs)}: the fastest ${rank} of those too close to tell apart, which are also ${others.join(", ")}.`;
  return { subject: chosen.subject.id, reason };
}

interface RankedSuite {
  readonly id: SuiteId;
  readonly title: string;
  readonly candidates: readonly Candidate[];
}

/** The one in which most subjects can be compared. */
function suiteOf(record: RunRecord, summary: RunSummary): RankedSuite | null {
  const infos = summary.suites.map(({ info }) => info).filter(({ id }) => order.includes(id));
  const ranked = infos
    .map(({ id, title }) => ({ id, title, candidates: candidatesOf(record, summary, id) }))
    .filter(({ candidates }) => candidates.length > 0)
    .sort((a, b) => b.candidates.length - a.candidates.length || order.indexOf(a.id) - order.indexOf(b.id));
  return ranked[0] ?? null;
}

function candidatesOf({ entries }: RunRecord, { subjects }: RunSummary, suite: SuiteId): Candidate[] {
  const scores = groupBy(
    entries.filter((entry) => entry.type === "score").filter((entry) => entry.suite === suite),
    ({ subject }) => subject,
  );
  return subjects.flatMap((subject) => {
    const latencyMs = subject.headline?.e2e25Ms?.typical;
    const own = scores.get(subject.id) ?? [];
    const isFew = new Set(own.map(({ task }) => task)).size < leastTasks;
    if (latencyMs === undefined || isFew || subject.computedFrom || subject.method === "server") return [];
    return [{ subject, latencyMs, scores: own }];
  });
}

/** By the answers that all of them gave. */
function ratedOf(candidates: readonly Candidate[]): { count: number; rated: Rated[] } {
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
