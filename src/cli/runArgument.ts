// How commands name a benchmark run: by its id, its folder, or its record.
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { readRecordFile } from "../benchmark/record/recordFile.ts";
import { isRunId, recordFile, runFolder } from "../benchmark/record/runs.ts";
import { AppError } from "../common/errors.ts";

/** Path of the record. Throws `file/unreadable` when there is none. */
export function recordOf(argument: string): string {
  const folder = isRunId(argument) && !existsSync(argument) ? runFolder(argument) : path.resolve(argument);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return existing(isFolder || isRunId(argument) ? recordFile(folder) : folder);
}

/** The record that a run goes on with, in its own folder or in that of --out. Rejects when another run lies there. */
export async function recordToResume(runId: string, out: string | null): Promise<string> {
  const file = existing(recordFile(out ?? runFolder(runId)));
  const { record } = await readRecordFile(file);
  if (record.run.runId === runId) return file;
  throw new AppError("request/invalid", `${file} is the record of run ${record.run.runId}, not of ${runId}`);
}

function existing(file: string): string {
  if (existsSync(file)) return file;
  throw new AppError(
    "file/unreadable",
    `there is no record ${file}; "hotpath report --list" names the runs of this machine`,
  );
}
