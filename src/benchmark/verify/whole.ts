// Level 1: the record is whole and as it was written, and the report says what follows from it.
//
// What this cannot prove: that anything was measured. Whoever writes a whole record anew, chain, hashes and all,
// passes. Scores made up are found by running the stored texts again (level 2), texts by generating again (level 3);
// speeds can only be compared.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { toAppError } from "../../common/errors.ts";
import type { RunRecord } from "../record/entries.ts";
import { sha256OfFile } from "../record/hashes.ts";
import { readRecordFile } from "../record/recordFile.ts";
import { type BundleManifest, bundleFormat, bundleTexts, bundleVersion } from "../report/bundle.ts";
import { reportVersion } from "../report/markdown.ts";
import { checkConsistency } from "./consistency.ts";
import { bad, type Check, good } from "./result.ts";

const textNames = ["report.md", "plan.json", "command.txt", "reproduce.sh"] as const;
const fileNames = ["record.jsonl", "report.html", ...textNames] as const;

export interface Whole {
  /** null: it could not be read. */
  readonly record: RunRecord | null;
  readonly checks: readonly Check[];
}

/** A record in a bundle, in the folder of a run, which lacks the bundle's other files, or by itself under another name. */
export async function checkWhole(file: string): Promise<Whole> {
  const folder = path.dirname(file);
  const isItself = path.basename(file) !== "record.jsonl";
  const { manifest, check } = isItself ? noBundle : await readManifest(folder);
  const files = manifest ? [await checkFiles(folder, manifest)] : [];
  const { record, checks } = await checkRecord(file);
  const before = [...(check ? [check] : []), ...files, ...checks];
  if (!record) return { record, checks: before };
  const reported = manifest ? [await checkTexts(folder, manifest, record)] : [];
  return { record, checks: [...before, ...checkConsistency(record), ...reported] };
}

async function checkRecord(file: string): Promise<Whole> {
  const what = "every line follows from the one before";
  try {
    const { record, problems } = await readRecordFile(file);
    if (problems.length > 0) return { record, checks: [bad(what, problems.map(({ message }) => message).join("; "))] };
    if (record.isTorn) return { record, checks: [bad(what, `line ${record.entries.length + 1} is cut off`)] };
    return { record, checks: [good(what, `${record.entries.length} lines`)] };
  } catch (error) {
    return { record: null, checks: [bad(what, toAppError(error).message)] };
  }
}

interface ManifestFound {
  readonly manifest: BundleManifest | null;
  /** Why there is none though this is a bundle. */
  readonly check: Check | null;
}

const noBundle: ManifestFound = { manifest: null, check: null };

async function readManifest(folder: string): Promise<ManifestFound> {
  const what = "the bundle names its files";
  const text = await readFile(path.join(folder, "bundle.json"), "utf8").catch(() => null); // Not there.
  if (text === null) {
    const isRun = !fileNames.slice(1).some((name) => existsSync(path.join(folder, name)));
    return isRun ? noBundle : { manifest: null, check: bad(what, "bundle.json is missing") };
  }
  try {
    const value: unknown = JSON.parse(text);
    const problem = manifestProblem(value);
    if (problem === null) return { manifest: value as BundleManifest, check: null };
    return { manifest: null, check: bad(what, `bundle.json ${problem}`) };
  } catch (error) {
    return { manifest: null, check: bad(what, `bundle.json: ${(error as Error).message}`) };
  }
}

function manifestProblem(value: unknown): string | null {
  const { format, version, files } = (value ?? {}) as Partial<BundleManifest>;
  if (format !== bundleFormat) return "is none of a bundle";
  if (version !== bundleVersion) return `is of version ${JSON.stringify(version)}, this Hotpath reads ${bundleVersion}`;
  if (typeof files !== "object" || files === null) return "names no files";
  // Names become paths: nothing but plain ones.
  const odd = Object.keys(files).find((name) => !/^[\w-]+(\.[\w-]+)+$/.test(name));
  return odd === undefined ? null : `names ${JSON.stringify(odd)}, which is no file of a bundle`;
}

/** Of files that are wrong; a bundle may name any number. */
const mostNamed = 20;

async function checkFiles(folder: string, { files }: BundleManifest): Promise<Check> {
  const what = "the files are those of the bundle";
  const wrong: string[] = [];
  for (const name of new Set([...fileNames, ...Object.keys(files)])) {
    const problem = await sha256OfFile(path.join(folder, name)).then(
      (hash) => (files[name] === undefined ? "has no hash" : hash === files[name] ? null : "was changed"),
      ({ code, message }: NodeJS.ErrnoException) => (code === "ENOENT" ? "is missing" : `cannot be read: ${message}`),
    );
    if (problem !== null) wrong.push(`${name} ${problem}`);
  }
  if (wrong.length === 0) return good(what, `${Object.keys(files).length} files`);
  const more = wrong.length > mostNamed ? [`and ${wrong.length - mostNamed} more`] : [];
  return bad(what, [...wrong.slice(0, mostNamed), ...more].join("; "));
}

/** What cannot be compared has not been verified, so another version of the report does not hold either. */
async function checkTexts(folder: string, manifest: BundleManifest, record: RunRecord): Promise<Check> {
  const what = "the report says what follows from the record";
  if (manifest.reportVersion !== reportVersion) {
    const versions = `it is of version ${manifest.reportVersion}, this Hotpath writes version ${reportVersion}`;
    return bad(what, `${versions}; use the one that made it`);
  }
  if (manifest.runId !== record.run.runId)
    return bad(
      what,
      `bundle.json is about run ${JSON.stringify(manifest.runId)}, the record about ${record.run.runId}`,
    );
  const expected = bundleTexts(record);
  const wrong: string[] = [];
  for (const name of textNames) {
    const text = await readFile(path.join(folder, name), "utf8").catch(() => ""); // Told as a missing file.
    if (text !== expected[name]) wrong.push(`${name}, line ${firstDifference(text, expected[name] ?? "")}`);
  }
  return wrong.length > 0
    ? bad(what, wrong.join("; "))
    : good(what, `${textNames.join(", ")}; report.html is not compared`);
}

function firstDifference(text: string, expected: string): number {
  const lines = expected.split("\n");
  const found = text.split("\n").findIndex((line, index) => line !== lines[index]);
  return found === -1 ? lines.length : found + 1;
}
