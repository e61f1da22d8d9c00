// Which subject to complete with.
import type { Interval } from "../statistics/quantile.ts";
import type { SuiteId } from "../suite.ts";
import { formatMs, formatShare } from "./numbers.ts";
import { headline, type RunSummary, type SubjectSummary } from "./summary.ts";

export interface Recommendation {
  /** Id of a subject; null: none can be recommended. */
  readonly subject: string | null;
  /** One sentence for people. */
  readonly reason: string;
}

/** What is nearest to completing code comes first. */
const order: readonly SuiteId[] = ["infill-single", "infill-multi", "humaneval", "starter", "gsm8k-cot", "gsm8k-5shot"];

interface Candidate {
  readonly subject: SubjectSummary;
  readonly latencyMs: number;
  readonly quality: number;
  readonly interval: Interval | null;
}

/** The best by quality of those that write a line, 25 tokens, within the budget; of equally good ones the fastest. */
export function recommend(summary: RunSummary, budgetMs: number): Recommendation {
  const suite = suiteOf(summary);
  if (!suite)
    return {
      subject: null,
      reason: "No subject has both its latency and its quality measured, so none can be compared.",
    };
  const candidates = candidatesOf(summary, suite.id);
  const [best, next] = candidates.filter(({ latencyMs }) => latencyMs <= budgetMs).sort(byQuality);
  const budget = formatMs(budgetMs);
  if (!best) {
    const [fastest] = candidates.sort((a, b) => a.latencyMs - b.latencyMs);
    const nearest = fastest ? `; the fastest, ${fastest.subject.label}, takes ${formatMs(fastest.latencyMs)}` : "";
    return { subject: null, reason: `None writes 25 tokens within ${budget}${nearest}.` };
  }
  if (best.quality === 0)
    return {
      subject: null,
      reason: `None of those that write 25 tokens within ${budget} solves anything of ${suite.title}.`,
    };
  const close =
    next && isWithin(next.quality, best.interval)
      ? `; ${next.subject.label}, ${formatShare(next.quality)}, is too close to tell apart`
      : "";
  const rank = `the most among those that write 25 tokens within ${budget}`;
  const what = `${best.subject.label} solves ${formatShare(best.quality)} of ${suite.title}`;
  const reason = `${what}, ${rank}, in ${formatMs(best.latencyMs)}${close}.`;
  return { subject: best.subject.id, reason };
}

/** The one in which most subjects can be compared. */
function suiteOf(summary: RunSummary): { id: SuiteId; title: string } | null {
  const infos = summary.suites.map(({ info }) => info).filter(({ id }) => order.includes(id));
  const ranked = infos
    .map(({ id, title }) => ({ id, title, count: candidatesOf(summary, id).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || order.indexOf(a.id) - order.indexOf(b.id));
  return ranked[0] ?? null;
}

function candidatesOf({ subjects }: RunSummary, suite: SuiteId): Candidate[] {
  return subjects.flatMap((subject) => {
    const latencyMs = headline(subject)?.e2e25Ms?.typical;
    const correct = subject.quality.find((summary) => summary.suite === suite)?.correct;
    if (latencyMs === undefined || !correct || subject.computedFrom) return [];
    return [{ subject, latencyMs, quality: correct.value, interval: correct.interval }];
  });
}

function byQuality(a: Candidate, b: Candidate): number {
  return b.quality - a.quality || a.latencyMs - b.latencyMs;
}

function isWithin(value: number, interval: Interval | null): boolean {
  return interval !== null && value >= interval.low && value <= interval.high;
}
