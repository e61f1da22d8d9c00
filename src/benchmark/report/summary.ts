// All of a run as figures: what the tables, the pictures and the recommendation are made from. Pure data, and the same for
// the same record.
import type {
  Caution,
  EndEntry,
  Environment,
  FailureEntry,
  IsolationEntry,
  Left,
  OutputEntry,
  RecordEntry,
  RunRecord,
  ScoreEntry,
  TypingEntry,
  WarningEntry,
} from "../record/entries.ts";
import { progressOf } from "../record/resume.ts";
import { paretoFront } from "../statistics/pareto.ts";
import type { Method, SubjectDefinition, SubjectFacts, SyntheticSubject } from "../subject.ts";
import type { SelfTest, SuiteChoice, SuiteId, SuiteInfo } from "../suite.ts";
import { compareAll, type QualityComparison } from "./compare.ts";
import { computedFacts, computedFigures, groupParts, impossibleSize, type Parts, unlikeParts } from "./computed.ts";
import { type Gain, type GainSubject, gainOf } from "./gain.ts";
import { failuresIn } from "./gaps.ts";
import { groupBy } from "./group.ts";
import { type QualitySummary, qualityOf } from "./quality.ts";
import { isRested, type SpeedFigures, speedFigures } from "./speed.ts";
import { type TypingSummary, typingOf } from "./typing.ts";

export interface RunSummary {
  readonly runId: string;
  readonly startedAt: string;
  readonly status: EndEntry["status"] | "unfinished";
  readonly left: Left;
  /** Times the run went on after an end of the program. */
  readonly resumes: number;
  readonly environment: Environment;
  readonly completions: "ahead" | "paused";
  readonly suites: readonly SuiteSummary[];
  /** In the order of the plan; what was computed comes last. */
  readonly subjects: readonly SubjectSummary[];
  /**
   * Prompts that all subjects with a measured speed were asked, without those after a rest. Empty: there is none, and each
   * is known by all of its own.
   */
  readonly sharedPrompts: readonly string[];
  /** Every subject with the dense one of its file or size, else with the first one of its suite. */
  readonly comparisons: readonly QualityComparison[];
  readonly isolation: IsolationEntry | null;
  /** Of the run, and of what was computed from it. */
  readonly warnings: readonly WarningEntry[];
  /** Without those that were made good when the run was resumed. */
  readonly failures: readonly FailureEntry[];
  readonly failuresMadeGood: number;
}

export interface SuiteSummary {
  readonly info: SuiteInfo;
  readonly choice: SuiteChoice | null;
  readonly selfTest: SelfTest | null;
}

export interface SubjectSummary {
  readonly id: string;
  readonly label: string;
  /** null: it could not be opened. */
  readonly facts: SubjectFacts | null;
  readonly method: Method | null;
  /** Of models that differ in their size alone, as far as is known: shapes of one format, files of one architecture. */
  readonly family: string | null;
  /** From two measured ones with few layers, whose ids these are; null: measured. */
  readonly computedFrom: readonly [string, string] | null;
  /** It has not all layers: its figures are a step to those of a computed subject. */
  readonly isPart: boolean;
  readonly speed: readonly SpeedSummary[];
  /** What it is known by beside others: of the shared prompts, as longer ones take longer. null: none was measured. */
  readonly headline: SpeedFigures | null;
  readonly quality: readonly QualitySummary[];
  readonly typing: TypingSummary | null;
  readonly bytesPerWeight: number | null;
  readonly gain: Gain | null;
  /** No other subject has as many parameters and answers faster. */
  readonly isOnSizeFront: boolean;
}

export interface SpeedSummary {
  readonly suite: SuiteId;
  /** Of all tasks but those after a rest. */
  readonly all: SpeedFigures;
  readonly tasks: readonly { readonly task: string; readonly figures: SpeedFigures }[];
}

export function summarize(record: RunRecord): RunSummary {
  const { run, entries } = record;
  const of = <T extends RecordEntry["type"]>(type: T) =>
    entries.filter((entry): entry is Extract<RecordEntry, { type: T }> => entry.type === type);
  const suites = [...new Map(of("suite").map(({ info }) => [info.id, info])).values()];
  const selfTests = new Map(of("selfTest").map(({ suite, result }) => [suite, result]));
  const { subjects, sharedPrompts, warnings } = summarizeSubjects(record, suites);
  const failures = failuresIn(record);
  const last = entries.at(-1);
  return {
    runId: run.runId,
    startedAt: run.startedAt,
    status: last?.type === "end" ? last.status : "unfinished",
    left: progressOf(record).left,
    resumes: of("resume").length,
    environment: run.environment,
    completions: run.plan.completions,
    suites: suites.map((info) => ({
      info,
      choice: run.plan.suites.find(({ id }) => id === info.id) ?? null,
      selfTest: selfTests.get(info.id) ?? null,
    })),
    subjects,
    sharedPrompts,
    comparisons: compareAll(suites, subjects, of("score")),
    isolation: of("isolation").at(-1) ?? null,
    warnings: [...of("warning"), ...warnings],
    failures: failures.open,
    failuresMadeGood: failures.madeGood,
  };
}

/** The figures of a subject after a rest of the machine, as a first completion after thinking is; null: none was measured. */
export function afterRest({ speed }: Pick<SubjectSummary, "speed">): SpeedFigures | null {
  const tasks = speed.flatMap((summary) => summary.tasks);
  return tasks.find((own) => !isRested(own))?.figures ?? null;
}

/** Prompts of the subject that its headline is not of, as not all were asked them. */
export function unsharedPrompts({ speed }: Pick<SubjectSummary, "speed">, sharedPrompts: readonly string[]): string[] {
  if (sharedPrompts.length === 0) return [];
  const own = speed.flatMap(({ tasks }) => tasks.filter(isRested)).map(({ task }) => task);
  return own.filter((task) => !sharedPrompts.includes(task));
}

function summarizeSubjects(
  record: RunRecord,
  suites: readonly SuiteInfo[],
): Pick<RunSummary, "subjects" | "sharedPrompts" | "warnings"> {
  const { plan, environment } = record.run;
  const samples = sampleIndex(record.entries);
  const speedSuites = suites.filter(({ kind }) => kind === "speed").map(({ id }) => id);
  const qualitySuites = suites.filter(({ kind }) => kind === "quality").map(({ id }) => id);
  const measured = plan.subjects.map((definition): Draft => {
    const { facts, outputs, scores, replays } = samples(definition.id);
    const ofSuite = <T extends { readonly suite: SuiteId }>(items: readonly T[], suite: SuiteId) =>
      items.filter((item) => item.suite === suite);
    const quality = qualitySuites.map((suite) => qualityOf(suite, ofSuite(scores, suite), ofSuite(outputs, suite)));
    const figuresOf: FiguresOf = (isTaken) => speedFigures(outputs.filter(isTaken), facts, environment.memoryBandwidth);
    const subject = {
      ...named(definition, facts),
      computedFrom: null,
      isPart: definition.kind === "synthetic" && definition.part !== null,
      speed: speedOf(speedSuites, outputs, figuresOf),
      quality: quality.filter((summary) => summary !== null),
      typing: typingOf(replays),
    };
    return { subject, figuresOf };
  });
  const computed = computedSubjects(plan.subjects, samples, speedSuites, environment);
  const drafts = [...measured, ...computed.drafts];
  const sharedPrompts = promptsOfAll(drafts);
  const isShared = (output: OutputEntry) =>
    sharedPrompts.length > 0 ? sharedPrompts.includes(output.task) : isRested(output);
  const all = drafts.map((draft) => ({ ...draft.subject, headline: headlineOf(draft, isShared) }));
  const front = sizeFront(all);
  const speedOutputs = (id: string) =>
    samples(id).outputs.filter((output) => speedSuites.includes(output.suite) && isShared(output));
  const compared = all.map((subject) => ({
    ...subject,
    isComputed: subject.computedFrom !== null,
    figures: subject.headline,
    outputs: speedOutputs(subject.id),
  }));
  const subjects = all.map((subject, index) => ({
    ...subject,
    bytesPerWeight: subject.isPart ? null : ratio(subject.facts?.fileBytes, subject.facts?.parameterCount),
    gain: gainOf(compared[index] as GainSubject, compared),
    isOnSizeFront: front.has(subject.id),
  }));
  return { subjects, sharedPrompts, warnings: computed.warnings };
}

/** Over the outputs that are taken. */
type FiguresOf = (isTaken: (output: OutputEntry) => boolean) => SpeedFigures;

interface Draft {
  readonly subject: Omit<SubjectSummary, "headline" | "bytesPerWeight" | "gain" | "isOnSizeFront">;
  readonly figuresOf: FiguresOf;
}

function promptsOfAll(drafts: readonly Draft[]): string[] {
  const asked = drafts
    .map(({ subject }) => subject.speed.flatMap(({ tasks }) => tasks.filter(isRested)))
    .map((tasks) => tasks.filter(({ figures }) => figures.samples > 0).map(({ task }) => task));
  const [first = [], ...others] = asked.filter((tasks) => tasks.length > 0);
  return first.filter((task) => others.every((own) => own.includes(task)));
}

/** Of the latency sweep, else of the size sweep. */
function headlineOf({ subject: { speed }, figuresOf }: Draft, isShared: (output: OutputEntry) => boolean) {
  const order: readonly SuiteId[] = ["latency", "sizes"];
  const own = order.find((suite) => speed.some((summary) => summary.suite === suite));
  return own ? figuresOf((output) => output.suite === own && isShared(output)) : null;
}

interface Samples {
  readonly facts: SubjectFacts | null;
  readonly outputs: readonly OutputEntry[];
  readonly scores: readonly ScoreEntry[];
  readonly replays: readonly TypingEntry[];
}

/** A subject that is opened again after a crash has facts again; the first ones are of the fresh engine. */
function sampleIndex(entries: readonly RecordEntry[]): (subject: string) => Samples {
  const facts = new Map<string, SubjectFacts>();
  for (const entry of entries)
    if (entry.type === "subject" && !facts.has(entry.subject)) facts.set(entry.subject, entry.facts);
  const outputs = groupBy(
    entries.filter((entry) => entry.type === "output"),
    ({ subject }) => subject,
  );
  const scores = groupBy(
    entries.filter((entry) => entry.type === "score"),
    ({ subject }) => subject,
  );
  const replays = groupBy(
    entries.filter((entry) => entry.type === "typing"),
    ({ subject }) => subject,
  );
  return (subject) => ({
    facts: facts.get(subject) ?? null,
    outputs: outputs.get(subject) ?? [],
    scores: scores.get(subject) ?? [],
    replays: replays.get(subject) ?? [],
  });
}

function named({ id, label, kind }: SubjectDefinition, facts: SubjectFacts | null) {
  return { id, label, facts, method: facts?.method ?? null, family: familyOf(kind, facts) };
}

function familyOf(kind: SubjectDefinition["kind"], facts: SubjectFacts | null): string | null {
  if (!facts?.architecture || kind === "server") return null;
  return `${kind}, ${facts.architecture}, ${facts.quantization}`;
}

function speedOf(suites: readonly SuiteId[], outputs: readonly OutputEntry[], figuresOf: FiguresOf): SpeedSummary[] {
  return suites.flatMap((suite): SpeedSummary[] => {
    const names = new Set(outputs.filter((output) => output.suite === suite).map(({ task }) => task));
    const ofTask = (task: string) => figuresOf((output) => output.suite === suite && output.task === task);
    const tasks = [...names].map((task) => ({ task, figures: ofTask(task) }));
    if (!tasks.some(({ figures }) => figures.samples + figures.disturbed > 0)) return [];
    return [{ suite, all: figuresOf((output) => output.suite === suite && isRested(output)), tasks }];
  });
}

function computedSubjects(
  definitions: readonly SubjectDefinition[],
  samples: (subject: string) => Samples,
  suites: readonly SuiteId[],
  { memoryBandwidth, gpus }: Environment,
): { readonly drafts: readonly Draft[]; readonly warnings: readonly WarningEntry[] } {
  const synthetic = definitions.filter((definition) => definition.kind === "synthetic");
  const videoBytes = gpus.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const drafts: Draft[] = [];
  const warnings: WarningEntry[] = [];
  const warn = (caution: Caution, subject: string) => warnings.push({ type: "warning", atMs: 0, ...caution, subject });
  for (const [group, [fewId, manyId]] of groupParts(synthetic)) {
    const parts = partsOf(synthetic, fewId, manyId, samples);
    if (!parts) continue;
    const unlike = unlikeParts(parts);
    if (unlike) {
      warn(unlike, manyId);
      continue;
    }
    const { few, many, totalLayers } = parts;
    const facts = computedFacts(parts, videoBytes);
    const impossible = impossibleSize(facts, videoBytes);
    if (impossible) warn(impossible, group);
    const figuresOf: FiguresOf = (isTaken) => computedFigures(parts, isTaken, facts, memoryBandwidth);
    const name = synthetic.find(({ id }) => id === manyId)?.label.replace(/, \d+ of \d+ layers$/, "") ?? group;
    const subject = {
      id: group,
      label: `${name}, computed from ${few.layers} and ${many.layers} of ${totalLayers} layers`,
      facts,
      method: facts.method,
      family: familyOf("synthetic", facts),
      computedFrom: [fewId, manyId] as const,
      isPart: false,
      speed: speedOf(suites, many.outputs, figuresOf),
      quality: [],
      typing: null,
    };
    drafts.push({ subject, figuresOf });
  }
  return { drafts, warnings };
}

function partsOf(
  definitions: readonly SyntheticSubject[],
  fewId: string,
  manyId: string,
  samples: (subject: string) => Samples,
): Parts | null {
  const part = (id: string) => {
    const { facts, outputs } = samples(id);
    const layers = definitions.find((definition) => definition.id === id)?.part?.layers;
    return facts && layers !== undefined ? { layers, facts, outputs } : null;
  };
  const [few, many] = [part(fewId), part(manyId)];
  const totalLayers = definitions.find(({ id }) => id === manyId)?.part?.totalLayers;
  return few && many && totalLayers !== undefined ? { few, many, totalLayers } : null;
}

function sizeFront(
  subjects: readonly Omit<SubjectSummary, "bytesPerWeight" | "gain" | "isOnSizeFront">[],
): Set<string> {
  const points = subjects.flatMap((subject) => {
    const latency = subject.headline?.e2e25Ms?.typical;
    const size = subject.facts?.parameterCount;
    return latency && size && !subject.isPart ? [{ id: subject.id, latency, size }] : [];
  });
  const front = paretoFront(
    points,
    ({ latency }) => latency,
    ({ size }) => size,
  );
  return new Set(front.map(({ id }) => id));
}

function ratio(of: number | null | undefined, to: number | null | undefined): number | null {
  return of && to ? of / to : null;
}
