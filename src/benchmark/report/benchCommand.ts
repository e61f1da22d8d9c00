// The command that does a run again.
import type { RunRecord } from "../record/entries.ts";
import type { ModelSubject, ServerSubject, SyntheticSubject } from "../subject.ts";
import type { SuiteChoice } from "../suite.ts";

export interface BenchCommand {
  /** Arguments after `hotpath`; models by their file names alone, as their folders mean nothing elsewhere. */
  readonly args: readonly string[];
  /** False: the run was put together in the panel from subjects or suites that one command cannot name. */
  readonly isExact: boolean;
}

/** `starter`: file name of the model that ships with Hotpath, which needs no naming. */
export function benchCommand({ run, entries }: RunRecord, starter: string): BenchCommand {
  const { subjects, suites } = run.plan;
  const models = subjects.filter((subject) => subject.kind === "model");
  const servers = subjects.filter((subject) => subject.kind === "server");
  const shapes = subjects.filter((subject) => subject.kind === "synthetic");
  const isolation = entries.findLast((entry) => entry.type === "isolation");
  const needsData = entries.some(
    (entry) => entry.type === "suite" && entry.info.dataset?.source !== "shipped" && entry.info.dataset,
  );
  const args = [
    "bench",
    ...list(
      "--suite",
      suites.map(({ id }) => id),
    ),
    ...modelArgs(models, starter, servers.length + shapes.length > 0),
    ...servers.flatMap((server) => ["--server", serverName(server)]),
    ...list(
      "--mode",
      [...models, ...shapes].map(({ spec }) => spec.mode),
    ),
    ...shapeArgs(shapes),
    ...specArgs([...models, ...shapes]),
    ...suiteArgs(suites),
    ...(needsData ? ["--fetch"] : []),
    ...(isolation ? ["--allow-code"] : []),
    ...(isolation?.type === "isolation" && isolation.consent === "reduced" ? ["--allow-reduced"] : []),
  ];
  return { args, isExact: isSayable(models, shapes, suites) };
}

/** For a POSIX shell. */
export function quoted(argument: string): string {
  return /^[\w./:=,@#%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

export function fileName(model: ModelSubject): string {
  return model.spec.path.split(/[\\/]/).at(-1) ?? "";
}

function modelArgs(models: readonly ModelSubject[], starter: string, hasOthers: boolean): string[] {
  const files = unique(models.map(fileName));
  if (files.length === 1 && files[0] === starter && !hasOthers) return [];
  return files.flatMap((file) => ["--model", file]);
}

function serverName({ url, api, model }: ServerSubject): string {
  return `${url}#${api}${model === null ? "" : `=${model}`}`;
}

function shapeArgs(shapes: readonly SyntheticSubject[]): string[] {
  const option = (name: string) => unique(shapes.flatMap(({ options }) => options[name] ?? []));
  const [active] = option("active");
  return [
    ...list(
      "--shapes",
      shapes.map(({ shape }) => shape),
    ),
    ...list("--types", option("type")),
    ...(active === undefined ? [] : ["--active", active]),
  ];
}

function specArgs(subjects: readonly (ModelSubject | SyntheticSubject)[]): string[] {
  const [first] = subjects;
  if (!first) return [];
  const { device, threads } = first.spec;
  return [...(threads > 0 ? ["--threads", String(threads)] : []), ...(device === "cpu" ? ["--device", "cpu"] : [])];
}

function suiteArgs(suites: readonly SuiteChoice[]): string[] {
  const [limit] = suites.map((suite) => suite.limit).filter((count) => count !== null);
  const [repeated] = suites.filter(isRepeated);
  const sampled = suites.find(({ temperature }) => temperature > 0);
  return [
    ...(limit === undefined ? [] : ["--limit", String(limit)]),
    ...(repeated ? ["--repetitions", String(repeated.repetitions)] : []),
    ...(sampled ? ["--temperature", String(sampled.temperature), "--top-p", String(sampled.topP)] : []),
  ];
}

/** Greedy answers to one problem would all be the same. */
function isRepeated({ id, temperature }: SuiteChoice): boolean {
  return id === "latency" || id === "sizes" || temperature > 0;
}

/** One command has one setting of each kind for everything, and takes every model in every mode. */
function isSayable(
  models: readonly ModelSubject[],
  shapes: readonly SyntheticSubject[],
  suites: readonly SuiteChoice[],
): boolean {
  const pairs = models.map(({ spec }) => JSON.stringify([spec.path, spec.mode]));
  const isProduct =
    count(pairs) === count(models.map(({ spec }) => spec.path)) * count(models.map(({ spec }) => spec.mode));
  const modesOf = (subjects: readonly (ModelSubject | SyntheticSubject)[]) =>
    unique(subjects.map(({ spec }) => spec.mode))
      .sort()
      .join();
  const areModesShared = models.length === 0 || shapes.length === 0 || modesOf(models) === modesOf(shapes);
  const settings = [...models, ...shapes].map(({ spec: { device, threads, gpuLayers, contextLength } }) =>
    JSON.stringify([device, threads, gpuLayers, contextLength]),
  );
  const limits = suites.map(({ limit }) => String(limit));
  const repetitions = suites.filter(isRepeated).map((suite) => String(suite.repetitions));
  return isProduct && areModesShared && [settings, limits, repetitions].every((values) => count(values) <= 1);
}

function list(option: string, values: readonly string[]): string[] {
  return values.length > 0 ? [option, unique(values).join(",")] : [];
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function count(values: readonly string[]): number {
  return new Set(values).size;
}
