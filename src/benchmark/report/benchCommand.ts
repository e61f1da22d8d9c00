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
  return { args, isExact: isProduct(models) && sameSettings(suites, [...models, ...shapes]) };
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
  const [limit] = unique(suites.map((suite) => suite.limit)).filter((count) => count !== null);
  const [repetitions] = unique(suites.map((suite) => suite.repetitions)).filter((count) => count !== 1);
  const sampled = suites.find(({ temperature }) => temperature > 0);
  return [
    ...(limit === undefined ? [] : ["--limit", String(limit)]),
    ...(repetitions === undefined ? [] : ["--repetitions", String(repetitions)]),
    ...(sampled ? ["--temperature", String(sampled.temperature), "--top-p", String(sampled.topP)] : []),
  ];
}

/** Every model in every mode: all that the options can say. */
function isProduct(models: readonly ModelSubject[]): boolean {
  const pairs = unique(models.map((model) => JSON.stringify([model.spec.path, model.spec.mode])));
  const files = unique(models.map(({ spec }) => spec.path));
  return pairs.length === files.length * unique(models.map(({ spec }) => spec.mode)).length;
}

function sameSettings(suites: readonly SuiteChoice[], subjects: readonly (ModelSubject | SyntheticSubject)[]): boolean {
  const isSame = (values: readonly unknown[]) => unique(values.map((value) => JSON.stringify(value))).length <= 1;
  const specs = subjects.map(({ spec: { device, threads, gpuLayers, contextLength } }) => ({
    device,
    threads,
    gpuLayers,
    contextLength,
  }));
  const repetitions = suites.map((suite) => suite.repetitions).filter((count) => count !== 1);
  return isSame(specs) && isSame(suites.map(({ limit }) => limit)) && isSame(repetitions);
}

function list(option: string, values: readonly string[]): string[] {
  return values.length > 0 ? [option, unique(values).join(",")] : [];
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
