// How commands name a benchmark run: by its id, its folder, or its record.
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { isRunId, recordFile, runFolder } from "../benchmark/record/runs.ts";
import { AppError } from "../common/errors.ts";

/** Path of the record. Throws `file/unreadable` when there is none. */
export function recordOf(argument: string): string {
  const folder = isRunId(argument) && !existsSync(argument) ? runFolder(argument) : path.resolve(argument);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const file = isFolder || isRunId(argument) ? recordFile(folder) : folder;
  if (existsSync(file)) return file;
  throw new AppError(
    "file/unreadable",
    `there is no record ${file}; "hotpath report --list" names the runs of this machine`,
  );
}
