// `hotpath verify`: does a benchmark record hold, on this machine?
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatasetStore } from "../benchmark/datasets/datasetStore.ts";
import { runsFolder } from "../benchmark/record/runs.ts";
import { plain } from "../benchmark/report/text.ts";
import { asOnlyRun } from "../benchmark/run/oneRun.ts";
import type { Subject, SyntheticSubject } from "../benchmark/subject.ts";
import { subjectFactory } from "../benchmark/subjects/createSubject.ts";
import { fileSha256, knownFile } from "../benchmark/subjects/fileHash.ts";
import { recipeOf } from "../benchmark/subjects/syntheticFiles.ts";
import { prepareSuite } from "../benchmark/suites/prepareSuite.ts";
import { type VerifyLevel, verifyLevels } from "../benchmark/verify/result.ts";
import { keepVerification } from "../benchmark/verify/verificationFile.ts";
import { describeVerification, type VerifyDeps, verify } from "../benchmark/verify/verify.ts";
import { dataFolder } from "../common/dataFolder.ts";
import { AppError } from "../common/errors.ts";
import { starterModelPath } from "../models/starterModel.ts";
import { createChildSandbox } from "../sandbox/childSandbox.ts";
import { datasetFilesOf } from "./benchPlan.ts";
import { type Command, type CommandContext, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { formatBytes } from "./format.ts";
import { ProgressLine } from "./progressLine.ts";
import { recordOf } from "./runArgument.ts";
import { allowedSubject } from "./verifySubjects.ts";

export const verifyCommand: Command = {
  name: "verify",
  synopsis: "verify BUNDLE|RUNID [--level 1|2|3] [--limit N] [options] [--json]",
  summary: "Check a benchmark record: whole, worth its scores, and repeatable on this machine.",
  details: [
    "--level 1            the record is whole and consistent, and its report follows from it (default)",
    "--level 2            also: stored outputs get the same scores again; needs --allow-code where code is scored",
    "--level 3            also: the same models write the same texts here, and how fast; no benchmark may run beside it",
    "--limit N            outputs looked at per suite (and subject, at level 3), evenly spread (default: all)",
    "--model FILE         where a model of the record lies here; found by its hash; may be repeated",
    "--server URL         a server of the record that may be asked; none is otherwise; may be repeated",
    "--dataset NAME=FILE  a data set's file, where it was not fetched",
    "--allow-code         run code that models wrote, in a sandbox",
    "--allow-reduced      also where the sandbox lacks one of its walls",
    "--json               print one JSON object",
    "What it found is kept beside the record, as verification.json, and told by hotpath report.",
    "Exit code 0 only when every level that was asked for holds.",
  ],
  options: {
    level: { type: "string" },
    limit: { type: "string" },
    model: { type: "string", multiple: true },
    server: { type: "string", multiple: true },
    dataset: { type: "string", multiple: true },
    "allow-code": { type: "boolean" },
    "allow-reduced": { type: "boolean" },
    json: { type: "boolean" },
  },
  positionals: [1, 1],
  async run(context, [argument = ""], options) {
    const level = levelOf(options);
    const limit = limitOf(options);
    const record = recordOf(argument);
    const line = new ProgressLine(process.stderr);
    const onProgress = (what: string, done: number, total: number) => line.show(done, total, what, what);
    try {
      const sample = { limit, signal: context.signal, onProgress };
      const check = () => verify(record, level, depsOf(context, options, onProgress), sample);
      // It measures, too: beside a run neither would measure its own speed.
      const result = await (level === 3 ? asOnlyRun(check) : check());
      line.clear();
      // What is no record may be anybody's file, and nothing is left beside it.
      if (result.runId !== null)
        await keepVerification(record, result).catch((error: Error) =>
          process.stderr.write(`hotpath: ${plain(error.message)}\n`),
        );
      context.print(options.json ? JSON.stringify(result) : describeVerification(result, context.width));
      return result.holds ? exitStatus.ok : exitStatus.failed;
    } finally {
      line.clear();
    }
  },
};

function depsOf(
  { engine, productFolder, signal }: CommandContext,
  options: OptionValues,
  onProgress: (what: string, done: number, total: number) => void,
): VerifyDeps {
  const datasets = new DatasetStore({ folder: path.join(dataFolder(), "datasets"), files: datasetFilesOf(options) });
  const create = subjectFactory({ engine, productFolder, folder: runsFolder() });
  const given = Array.isArray(options.model) ? options.model.map((file: string) => path.resolve(file)) : [];
  const missing = given.find((file) => !existsSync(file));
  if (missing !== undefined) throw new AppError("model/not-found", `there is no file ${missing}`);
  const vocabulary = starterModelPath(productFolder);
  const allowed = {
    models: [...given, vocabulary],
    servers: Array.isArray(options.server) ? options.server : [],
    hash: (file: string) =>
      fileSha256(file, runsFolder(), (fraction) => onProgress(`Reading ${file}`, fraction, 1), signal),
    known: (sha256: string) => knownFile(sha256, runsFolder()),
  };
  const tellOfWeights = async (subject: SyntheticSubject) => {
    const { bytes } = await engine.describeSynthetic({ vocabulary, options: recipeOf(subject) }, signal);
    process.stderr.write(
      `hotpath: ${plain(subject.label)}: ${formatBytes(bytes)} of weights are written for the while.\n`,
    );
  };
  const allowReduced = options["allow-reduced"] === true;
  return {
    prepareSuite: (choice) => prepareSuite(choice, { datasets, productFolder }),
    async createSandbox() {
      if (options["allow-code"]) return createChildSandbox({ folder: path.join(productFolder, "dist"), allowReduced });
      throw new AppError("sandbox/unavailable", "scoring runs code that models wrote; allow it with --allow-code");
    },
    async createSubject(definition, facts): Promise<Subject> {
      const found = await allowedSubject(definition, facts, allowed);
      if (found.kind === "synthetic") await tellOfWeights(found);
      return create(found);
    },
    now: () => new Date(),
    machine: `${os.cpus()[0]?.model.trim() ?? "unknown processor"}, ${os.type()} ${os.release()}`,
  };
}

function levelOf({ level = "1" }: OptionValues): VerifyLevel {
  const found = verifyLevels.find((each) => String(each) === level);
  if (found) return found;
  throw new UsageError(`--level is "${String(level)}"; it must be 1, 2 or 3`);
}

function limitOf({ limit }: OptionValues): number | null {
  if (limit === undefined) return null;
  const count = Number(limit);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new UsageError(`--limit is "${String(limit)}"; it must be a whole number from 1 up`);
}
