// What `hotpath bench` was asked for, as a plan.
import { existsSync } from "node:fs";
import path from "node:path";
import { findDataset } from "../benchmark/datasets/catalogue.ts";
import type { RunPlan } from "../benchmark/run/plan.ts";
import { checkPlan } from "../benchmark/run/schedule.ts";
import type { ModelSubject, ServerApi, ServerSubject, SubjectDefinition } from "../benchmark/subject.ts";
import { modelSubject, secretIn, serverSubject, withOwnIds } from "../benchmark/subjects/naming.ts";
import { defaultRounds, type SuiteChoice, type SuiteId, suiteIds } from "../benchmark/suite.ts";
import { type Describe, expandSizes } from "../benchmark/suites/sizes/expandSizes.ts";
import { roomHere } from "../benchmark/suites/sizes/room.ts";
import { AppError } from "../common/errors.ts";
import { starterModelPath } from "../models/starterModel.ts";
import { type ModeChoice, type ModelSpec, modeChoices } from "../protocol/model.ts";
import { type OptionValues, UsageError } from "./command.ts";

const serverApis: readonly ServerApi[] = ["openai", "llama-server", "ollama"];
const ollamaPort = "11434";
const speedSuites: readonly SuiteId[] = ["latency", "sizes"];
/** In the middle of what ReLU models were measured to need (ProSparse: 0.11). */
export const defaultActive = 0.11;
export const defaultType = "q4_0";
const seed = 1;

export interface PlanSources {
  readonly productFolder: string;
  readonly describe: Describe;
  /** Free bytes on GPUs; none when not given. */
  readonly videoMemory?: () => Promise<number>;
  /** Where synthetic weights are written. */
  readonly folder: string;
}

/** What a plan leaves out, for the user. */
export interface AskedPlan {
  readonly plan: RunPlan;
  readonly notes: readonly string[];
}

/**
 * Throws a UsageError for what makes no sense; rejects with `model/too-large` when nothing asked for fits here, and with
 * `request/invalid` when nothing would be measured.
 */
export async function readPlan(options: OptionValues, sources: PlanSources): Promise<AskedPlan> {
  const spec = specOf(options);
  const servers = textsOf(options.server).map(parseServer);
  const shapes = listOf(options.shapes);
  const sizes = await sizesOf(shapes, options, spec, sources);
  const models = modelsOf(options, spec, { ...sources, isStarterMeant: servers.length === 0 && shapes.length === 0 });
  const subjects = withOwnIds([...models, ...servers, ...sizes.subjects]);
  const notes = sizes.left.map((shape) => `${shape} is left out: not even a few of its layers fit on this machine.`);
  if (subjects.length === 0) throw new AppError("model/too-large", notes.join(" "));
  const plan: RunPlan = { subjects, suites: suitesOf(options, subjects), completions: "ahead" };
  checkPlan(plan);
  return { plan, notes };
}

/** "http://host:port", "http://host:port#api", "http://host:port#api=model". */
export function parseServer(text: string): ServerSubject {
  const [, address = "", named, model = null] = /^(https?:\/\/[^#=\s]+)(?:#([a-z-]+))?(?:=(.+))?$/.exec(text) ?? [];
  if (!URL.canParse(address)) throw new UsageError(`--server is "${text}"; it must be URL, URL#API or URL#API=MODEL`);
  const secret = secretIn(address);
  if (secret !== null) throw new UsageError(`--server ${secret}; a key goes into the environment, HOTPATH_SERVER_KEY`);
  const { port } = new URL(address);
  const api = serverApis.find((each) => each === (named ?? (port === ollamaPort ? "ollama" : "openai")));
  if (!api) throw new UsageError(`--server names the API "${named}"; it must be one of ${serverApis.join(", ")}`);
  return serverSubject(api, address, model);
}

/** What says how a run goes on; its record says all the rest. */
const optionsOfResume = new Set(["resume", "out", "json", "dataset", "fetch", "allow-code", "allow-reduced"]);

/** Refuses options that a run that was begun has settled. */
export function checkResume(options: OptionValues): void {
  const others = Object.keys(options).filter((name) => options[name] !== undefined && !optionsOfResume.has(name));
  if (others.length === 0) return;
  const names = others.map((name) => `--${name}`).join(", ");
  throw new UsageError(`--resume goes on with a run as it was planned; leave ${names} out`);
}

/** Files of data sets by name, checked. */
export function datasetFilesOf(options: OptionValues): Record<string, string> {
  const files: Record<string, string> = {};
  for (const text of textsOf(options.dataset)) {
    const [, name = "", file = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (file === "") throw new UsageError(`--dataset is "${text}"; it must be NAME=FILE`);
    files[findDataset(name).name] = path.resolve(file);
  }
  return files;
}

function modelsOf(
  options: OptionValues,
  spec: Omit<ModelSpec, "path" | "mode">,
  { productFolder, isStarterMeant }: { readonly productFolder: string; readonly isStarterMeant: boolean },
): ModelSubject[] {
  const asked = textsOf(options.model).map((file) => path.resolve(file));
  const missing = asked.find((file) => !existsSync(file));
  if (missing !== undefined) throw new AppError("model/not-found", `there is no file ${missing}`);
  const files = asked.length === 0 && isStarterMeant ? [starterModelPath(productFolder)] : asked;
  const modes = modesOf(options, ["auto"]);
  return files.flatMap((file) => modes.map((mode) => modelSubject({ ...spec, path: file, mode })));
}

async function sizesOf(
  shapes: readonly string[],
  options: OptionValues,
  spec: Omit<ModelSpec, "path" | "mode">,
  { describe, folder, videoMemory }: PlanSources,
) {
  const active = numberOf(options, "active", defaultActive, 0, 1);
  if (active === 0) throw new UsageError("--active is 0; some neurons are always active");
  const types = listOf(options.types);
  const choice = {
    shapes,
    types: types.length > 0 ? types : [defaultType],
    modes: modesOf(options, ["dense", "exact"]),
    active,
    spec,
  };
  if (shapes.length === 0) return { subjects: [], left: [] };
  const videoBytes = spec.device === "cpu" ? 0 : ((await videoMemory?.()) ?? 0);
  return expandSizes(choice, describe, await roomHere(folder, videoBytes));
}

function suitesOf(options: OptionValues, subjects: readonly SubjectDefinition[]): SuiteChoice[] {
  const isForTrained = subjects.some(({ kind }) => kind !== "synthetic");
  const usual = [
    ...(isForTrained ? ["latency"] : []),
    ...(subjects.some(({ kind }) => kind === "synthetic") ? ["sizes"] : []),
    ...(isForTrained && options["allow-code"] ? ["starter"] : []),
  ];
  const asked = listOf(options.suite);
  const names = asked.length > 0 ? asked : usual;
  const limit = options.limit === undefined ? null : wholeNumberOf(options, "limit", 1);
  const temperature = numberOf(options, "temperature", 0, 0, 2);
  const topP = numberOf(options, "top-p", 1, 0, 1);
  const isRepeated = temperature > 0 || names.some((name) => speedSuites.some((id) => id === name));
  if (options.repetitions !== undefined && !isRepeated)
    throw new UsageError(
      "--repetitions is for speed suites and, with --temperature, for samples; here it does nothing",
    );
  return names.map((name): SuiteChoice => {
    const id = suiteIds.find((each) => each === name);
    if (!id) throw new UsageError(`--suite names "${name}"; there are ${suiteIds.join(", ")}`);
    if (speedSuites.includes(id))
      return {
        id,
        limit,
        repetitions: wholeNumberOf(options, "repetitions", defaultRounds),
        temperature: 0,
        topP: 1,
        seed,
      };
    // Greedy samples of one problem would all be the same.
    const repetitions = temperature > 0 ? wholeNumberOf(options, "repetitions", 1) : 1;
    return { id, limit, repetitions, temperature, topP, seed };
  });
}

function specOf(options: OptionValues): Omit<ModelSpec, "path" | "mode"> {
  const { device = "auto" } = options;
  if (device !== "auto" && device !== "cpu") throw new UsageError(`--device is "${device}"; it must be auto or cpu`);
  const threads = options.threads === undefined ? 0 : wholeNumberOf(options, "threads", 1);
  return { device, gpuLayers: -1, contextLength: 0, threads };
}

function modesOf(options: OptionValues, usual: readonly ModeChoice[]): readonly ModeChoice[] {
  const asked = listOf(options.mode);
  if (asked.length === 0) return usual;
  return asked.map((name) => {
    const mode = modeChoices.find((choice) => choice === name);
    if (!mode) throw new UsageError(`--mode names "${name}"; there are ${modeChoices.join(", ")}`);
    return mode;
  });
}

function textsOf(value: OptionValues[string]): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value : [];
}

/** "a,b", or given several times; each once. */
function listOf(value: OptionValues[string]): string[] {
  const names = textsOf(value).flatMap((text) => text.split(",").map((name) => name.trim()));
  return [...new Set(names.filter((name) => name !== ""))];
}

function wholeNumberOf(options: OptionValues, name: string, usual: number): number {
  const value = Number(options[name] ?? usual);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--${name} is "${options[name]}"; it must be a whole number from 1 up`);
}

function numberOf(options: OptionValues, name: string, usual: number, least: number, most: number): number {
  const value = Number(options[name] ?? usual);
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} is "${options[name]}"; it must be a number from ${least} to ${most}`);
}
