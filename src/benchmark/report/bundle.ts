// A reproduction bundle: a folder with all that somebody else needs to check a run and to do it again.
import { createReadStream } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../common/errors.ts";
import { starterModelPath } from "../../models/starterModel.ts";
import type { RunRecord } from "../record/entries.ts";
import { sha256OfFile } from "../record/hashes.ts";
import { readRecordFile } from "../record/recordFile.ts";
import { benchArgs, fileName, quoted } from "./benchArgs.ts";
import { renderMarkdown, reportVersion } from "./markdown.ts";
import { summarize } from "./summary.ts";

export const bundleFormat = "hotpath-benchmark-bundle";
export const bundleVersion = 1;

/** bundle.json */
export interface BundleManifest {
  readonly format: typeof bundleFormat;
  readonly version: number;
  readonly runId: string;
  /** Of the texts in it: another version may word them differently. */
  readonly reportVersion: number;
  /** SHA-256 by file name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Rejects when the folder has something in it, or the record cannot be verified. */
export async function writeBundle(folder: string, recordPath: string): Promise<void> {
  const { record, problems, wholeBytes } = await readRecordFile(recordPath);
  const [problem] = problems;
  if (problem)
    throw new AppError("record/invalid", `${problem.message}; nobody could verify a bundle of it`, { ...problem });
  const there = await readdir(folder).catch(() => []); // Not there yet.
  if (there.length > 0)
    throw new AppError("file/unwritable", `${folder} is not empty; give the bundle a folder of its own`, { folder });
  const { renderHtmlReport } = await import("./drawn.ts");
  const texts = { ...bundleTexts(record), "report.html": renderHtmlReport(record) };
  try {
    await mkdir(folder, { recursive: true });
    // Not what a run that goes on has written since, of which the reports know nothing.
    await writeFile(path.join(folder, "record.jsonl"), createReadStream(recordPath, { end: wholeBytes - 1 }));
    for (const [name, text] of Object.entries(texts)) await writeFile(path.join(folder, name), text);
    await chmod(path.join(folder, "reproduce.sh"), 0o755);
    const names = ["record.jsonl", ...Object.keys(texts)];
    const hashes = await Promise.all(names.map(async (name) => [name, await sha256OfFile(path.join(folder, name))]));
    const manifest: BundleManifest = {
      format: bundleFormat,
      version: bundleVersion,
      runId: record.run.runId,
      reportVersion,
      files: Object.fromEntries(hashes),
    };
    await writeFile(path.join(folder, "bundle.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  } catch (cause) {
    throw new AppError("file/unwritable", `${folder}: ${(cause as Error).message}`, { folder }, cause);
  }
}

/** The files that follow from the record alone; `verify` makes them again. */
export function bundleTexts(record: RunRecord): Record<string, string> {
  return {
    "report.md": renderMarkdown(summarize(record)),
    "plan.json": `${JSON.stringify(record.run.plan, null, 2)}\n`,
    "command.txt": `${commandOf(record)}\n`,
    "reproduce.sh": reproduceScript(record),
  };
}

function commandOf(record: RunRecord): string {
  return ["hotpath", ...benchArgs(record, starterName).map(quoted)].join(" ");
}

/** Folders of models differ: MODELS names the one that all lie in. */
function reproduceScript(record: RunRecord): string {
  const args = benchArgs(record, starterName);
  const models = record.run.plan.subjects.filter((subject) => subject.kind === "model");
  const hashes = new Map(
    record.entries.flatMap((entry) =>
      entry.type === "subject" && entry.facts.sha256 ? [[entry.subject, entry.facts.sha256] as const] : [],
    ),
  );
  const named = models.filter((model) => args.includes(fileName(model)));
  const sums = new Set(
    named.flatMap((model) => {
      const sum = hashes.get(model.id);
      return sum ? [`echo ${quoted(`${sum}  ${fileName(model)}`)}`] : [];
    }),
  );
  const checks = [...sums].map((echo) => `${echo} | (cd "$MODELS" && sha256sum -c -)`);
  const words = args.map((word, index) => (args[index - 1] === "--model" ? `"$MODELS"/${quoted(word)}` : quoted(word)));
  return [
    "#!/bin/sh",
    "# Checks this bundle, does its run again on this machine, and writes both reports side by side.",
    "# MODELS: the folder of the model files; this one when it is not set.",
    "set -eu",
    'cd "$(dirname "$0")"',
    `MODELS=\${MODELS:-.}`,
    "hotpath verify . --level 1",
    ...checks,
    `hotpath ${words.join(" ")} --out repeated`,
    "hotpath report repeated --md --out repeated/report.md",
    'echo "Compare report.md with repeated/report.md."',
    "",
  ].join("\n");
}

const starterName = path.basename(starterModelPath(""));
