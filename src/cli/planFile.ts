// A plan as bundles have it, to be done again on this machine.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { planProblem } from "../benchmark/record/schema.ts";
import { fileName } from "../benchmark/report/benchArgs.ts";
import type { RunPlan } from "../benchmark/run/plan.ts";
import { checkPlan } from "../benchmark/run/schedule.ts";
import type { ModelSubject } from "../benchmark/subject.ts";
import { secretIn } from "../benchmark/subjects/naming.ts";
import { AppError } from "../common/errors.ts";
import { starterModelPath } from "../models/starterModel.ts";
import type { AskedPlan } from "./benchPlan.ts";
import { type OptionValues, UsageError } from "./command.ts";

/** What may stand beside a plan; all else is in it. */
const besides = ["plan", "model", "dataset", "fetch", "allow-code", "allow-reduced", "out", "json"];

/**
 * Models are looked for by their file names: among those of --model, then where the plan has them, then as the starter
 * model. Rejects with `request/invalid` for what is no plan, `model/not-found` for a model that is not here.
 */
export async function readPlanFile(file: string, options: OptionValues, productFolder: string): Promise<AskedPlan> {
  const other = Object.keys(options).find((name) => options[name] !== undefined && !besides.includes(name));
  if (other !== undefined) throw new UsageError(`--${other} says what --plan says already`);
  const plan = await parsePlan(file);
  const given = Array.isArray(options.model) ? options.model.map((each) => path.resolve(each)) : [];
  const places = [...given, starterModelPath(productFolder)];
  const subjects = plan.subjects.map((subject) =>
    subject.kind === "model" ? located(subject, given, places) : subject,
  );
  const servers = subjects.flatMap((subject) => (subject.kind === "server" ? [subject.url] : []));
  const notes = [...new Set(servers)].map((url) => `the plan asks the server at ${url}.`);
  return { plan: { ...plan, subjects }, notes };
}

async function parsePlan(file: string): Promise<RunPlan> {
  let plan: unknown;
  try {
    plan = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new AppError("request/invalid", `${file}: ${(cause as Error).message}`, { file }, cause);
  }
  const problem = planProblem(plan);
  if (problem) throw new AppError("request/invalid", `${file} is no plan of a run: ${problem}`, { file });
  checkPlan(plan as RunPlan);
  for (const subject of (plan as RunPlan).subjects) if (subject.kind === "server") checkAddress(subject.url);
  return plan as RunPlan;
}

function checkAddress(url: string): void {
  if (!/^https?:/i.test(url) || !URL.canParse(url))
    throw new AppError("request/invalid", `the plan asks a server at "${url}", which is no address of one`, { url });
  const secret = secretIn(url);
  if (secret !== null) throw new AppError("request/invalid", `the address of a server in the plan ${secret}`);
}

function located(model: ModelSubject, given: readonly string[], places: readonly string[]): ModelSubject {
  const { spec } = model;
  const name = fileName(model);
  const isNamed = (place: string) => path.basename(place) === name;
  const found = given.find(isNamed) ?? [spec.path, ...places.filter(isNamed)].find((place) => existsSync(place));
  if (found !== undefined && existsSync(found)) return { ...model, spec: { ...spec, path: found } };
  throw new AppError("model/not-found", `${name} is not here; say where it lies with --model FILE`, {
    path: spec.path,
  });
}
