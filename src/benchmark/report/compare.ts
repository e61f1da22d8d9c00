// Whether two subjects differ in what they got right, and which two are worth comparing.
import type { ScoreEntry } from "../record/entries.ts";
import { differenceInterval, flipTest, holm } from "../statistics/pairs.ts";
import { type Interval, mean } from "../statistics/quantile.ts";
import type { Method, SubjectFacts } from "../subject.ts";
import type { SuiteId, SuiteInfo } from "../suite.ts";
import { groupBy } from "./group.ts";
import { clustersOf } from "./quality.ts";

/** What `against` is to the subject: the dense one of its file, of its size and architecture, or just the first. */
export type Basis = "file" | "shape" | "first";

/** A subject beside another one, over what both answered. */
export interface QualityComparison {
  readonly suite: SuiteId;
  readonly subject: string;
  readonly against: string;
  readonly basis: Basis;
  readonly count: number;
  /** Tasks that `against` alone and that `subject` alone got right. */
  readonly lost: readonly string[];
  readonly won: readonly string[];
  /** Of the rates, `subject` less `against`; resampled by problem, or exact where nothing flipped. */
  readonly difference: number;
  readonly interval: Interval | null;
  /** That neither is better, by `flipTest`. */
  readonly pValue: number;
  /** The same, corrected for as many tests as the run has (Holm). */
  readonly correctedP: number;
}

export interface ComparedSubject {
  readonly id: string;
  readonly method: Method | null;
  readonly facts: SubjectFacts | null;
}

/** In every suite, each subject with the one that it should be measured by. No pair is told twice. */
export function compareAll(
  suites: readonly SuiteInfo[],
  subjects: readonly ComparedSubject[],
  scores: readonly ScoreEntry[],
): QualityComparison[] {
  const comparisons = suites.flatMap(({ id: suite }) => {
    const ofSuite = scores.filter((score) => score.suite === suite);
    const bySubject = groupBy(ofSuite, ({ subject }) => subject);
    const scored = subjects.filter(({ id }) => bySubject.has(id));
    const told = new Set<string>();
    return scored.flatMap((subject) => {
      const reference = referenceOf(subject, scored);
      if (!reference || told.has(JSON.stringify([reference.subject.id, subject.id]))) return [];
      told.add(JSON.stringify([subject.id, reference.subject.id]));
      const [own = [], others = []] = [bySubject.get(subject.id), bySubject.get(reference.subject.id)];
      const compared = compareQuality(own, others);
      if (!compared) return [];
      return [{ suite, subject: subject.id, against: reference.subject.id, basis: reference.basis, ...compared }];
    });
  });
  const corrected = holm(comparisons.map(({ pValue }) => pValue));
  return comparisons.map((comparison, index) => ({ ...comparison, correctedP: corrected[index] as number }));
}

function referenceOf(
  { id, facts }: ComparedSubject,
  all: readonly ComparedSubject[],
): { readonly subject: ComparedSubject; readonly basis: Basis } | null {
  const others = all.filter((other) => other.id !== id);
  const sameFile = others.find(
    (other) => other.facts?.mode === "dense" && other.facts.sha256 !== null && other.facts.sha256 === facts?.sha256,
  );
  if (sameFile) return { subject: sameFile, basis: "file" };
  const isSameShape = (other: SubjectFacts | null) =>
    other !== null &&
    other.parameterCount !== null &&
    other.parameterCount === facts?.parameterCount &&
    other.architecture === facts.architecture;
  const sameShape = others.find((other) => other.method === "dense" && isSameShape(other.facts));
  if (sameShape) return { subject: sameShape, basis: "shape" };
  const [first] = all;
  return first && first.id !== id ? { subject: first, basis: "first" } : null;
}

export type Compared = Omit<QualityComparison, "suite" | "subject" | "against" | "basis" | "correctedP">;

/** null: they have nothing in common. */
export function compareQuality(subject: readonly ScoreEntry[], against: readonly ScoreEntry[]): Compared | null {
  const others = new Map(against.map((entry) => [answerKey(entry), entry]));
  const pairs = subject.filter((entry) => others.has(answerKey(entry)));
  if (pairs.length === 0) return null;
  const other = (entry: ScoreEntry) => others.get(answerKey(entry))?.score.isCorrect === true;
  const isLost = (entry: ScoreEntry) => !entry.score.isCorrect && other(entry);
  const isWon = (entry: ScoreEntry) => entry.score.isCorrect && !other(entry);
  const lost = pairs.filter(isLost).map(({ task }) => task);
  const won = pairs.filter(isWon).map(({ task }) => task);
  const clusters = clustersOf(pairs, (entry) => Number(isWon(entry)) - Number(isLost(entry)));
  return {
    count: pairs.length,
    lost,
    won,
    difference: mean(clusters.flat()),
    interval: differenceInterval(clusters),
    pValue: flipTest(clusters),
  };
}

/** Of answers to the same question by different subjects. */
export const answerKey = ({ task, repetition }: ScoreEntry) => JSON.stringify([task, repetition]);
