// Level 1: the record is whole and as it was written, and the report says what follows from it.
//
// What this cannot prove: that anything was measured. Whoever writes a whole record anew, chain, hashes and all, passes.
// Scores made up are found by running the stored texts again (level 2), texts and speeds by generating again (level 3).
import { readFile } from "node:fs/promises";
import path from "node:path";
import { toAppError } from "../../common/errors.ts";
import type { RunRecord } from "../record/entries.ts";
import { sha256 } from "../record/hashes.ts";
import { readRecordFile } from "../record/recordFile.ts";
import { type BundleManifest, bundleFormat, bundleTexts, bundleVersion } from "../report/bundle.ts";
import { reportVersion } from "../report/markdown.ts";
import { checkConsistency } from "./consistency.ts";
import { bad, type Check, good } from "./result.ts";

const textNames = ["report.md", "command.txt", "reproduce.sh"] as const;

export interface Whole {
  /** null: it could not be read. */
  readonly record: RunRecord | null;
  readonly checks: readonly Check[];
}

/** `folder` is a bundle, or the folder of a run, which lacks the bundle's other files. */
export async function checkWhole(folder: string): Promise<Whole> {
  const manifest = await readManifest(folder);
  const bundled = manifest ? await checkFiles(folder, manifest) : [];
  const { record, checks } = await checkRecord(path.join(folder, "record.jsonl"));
  if (!record) return { record, checks: [...bundled, ...checks] };
  const reported = manifest && isManifest(manifest) ? await checkTexts(folder, manifest, record) : [];
  return { record, checks: [...bundled, ...checks, ...checkConsistency(record), ...reported] };
}

async function checkRecord(file: string): Promise<Whole> {
  const what = "every line is there and as it was written";
  try {
    const { record, problems } = await readRecordFile(file);
    if (problems.length > 0) return { record, checks: [bad(what, problems.map(({ message }) => message).join("; "))] };
    if (record.isTorn) return { record, checks: [bad(what, `line ${record.entries.length + 1} is cut off`)] };
    return { record, checks: [good(what, `${record.entries.length} lines`)] };
  } catch (error) {
    return { record: null, checks: [bad(what, toAppError(error).message)] };
  }
}

/** undefined: there is none. */
async function readManifest(folder: string): Promise<unknown> {
  const text = await readFile(path.join(folder, "bundle.json"), "utf8").catch(() => undefined); // Not a bundle.
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return null; // Told as one of a wrong format.
  }
}

function isManifest(value: unknown): value is BundleManifest {
  const { format, version, files } = (value ?? {}) as Partial<BundleManifest>;
  const isKnown = format === bundleFormat && version === bundleVersion;
  return (
    isKnown &&
    typeof files === "object" &&
    files !== null &&
    Object.keys(files).every((name) => /^[\w-]+(\.[\w-]+)+$/.test(name))
  );
}

async function checkFiles(folder: string, manifest: unknown): Promise<Check[]> {
  const what = "the files are those of the bundle";
  if (!isManifest(manifest)) {
    const { version } = (manifest ?? {}) as { version?: unknown };
    return [
      bad(
        what,
        `bundle.json is not one of version ${bundleVersion} (${JSON.stringify(version)}); a newer Hotpath may know it`,
      ),
    ];
  }
  const names = ["record.jsonl", "report.html", ...textNames, ...Object.keys(manifest.files)];
  const wrong: string[] = [];
  for (const name of new Set(names)) {
    const data = await readFile(path.join(folder, name)).catch(() => null);
    if (data === null) wrong.push(`${name} is missing`);
    else if (manifest.files[name] === undefined) wrong.push(`${name} has no hash`);
    else if (sha256(data) !== manifest.files[name]) wrong.push(`${name} was changed`);
  }
  return [wrong.length > 0 ? bad(what, wrong.join("; ")) : good(what, `${Object.keys(manifest.files).length} files`)];
}

/** What cannot be compared has not been verified, so another version of the report does not hold either. */
async function checkTexts(folder: string, manifest: BundleManifest, record: RunRecord): Promise<Check[]> {
  const what = "the report says what follows from the record";
  if (manifest.reportVersion !== reportVersion)
    return [
      bad(
        what,
        `it is of version ${manifest.reportVersion}, this Hotpath writes version ${reportVersion}; use the one that made it`,
      ),
    ];
  const expected = bundleTexts(record);
  const wrong: string[] = [];
  for (const name of textNames) {
    const text = await readFile(path.join(folder, name), "utf8").catch(() => ""); // Told as a missing file.
    if (text !== expected[name]) wrong.push(`${name}, line ${firstDifference(text, expected[name] ?? "")}`);
  }
  return [wrong.length > 0 ? bad(what, wrong.join("; ")) : good(what, textNames.join(", "))];
}

function firstDifference(text: string, expected: string): number {
  const lines = expected.split("\n");
  const found = text.split("\n").findIndex((line, index) => line !== lines[index]);
  return found === -1 ? lines.length : found + 1;
}
