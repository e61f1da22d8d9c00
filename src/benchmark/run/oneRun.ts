// One run at a time: the runs of a machine share its engine, its memory and its processor, and side by side neither would
// measure its own speed. Whoever measures, a verification included, holds one lock, in whichever window or terminal.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { AppError } from "../../common/errors.ts";
import { holderOf, takeLock } from "../record/fileLock.ts";
import { runsFolder } from "../record/runs.ts";

/** Rejects with `request/invalid` when a run goes on already; of two that come at once, one. */
export async function asOnlyRun<T>(run: () => Promise<T>): Promise<T> {
  makeFolder();
  const release = takeLock(lockFile(), refusal);
  try {
    return await run();
  } finally {
    release();
  }
}

/** Throws what `asOnlyRun` would reject with now, for those who have something to prepare first. */
export function refuseBesideOthers(): void {
  const holder = holderOf(lockFile());
  if (holder !== null) throw refusal(holder);
}

function lockFile(): string {
  return path.join(runsFolder(), "running.lock");
}

function makeFolder(): void {
  const folder = runsFolder();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AppError("file/unwritable", `${folder}: ${(cause as Error).message}`, { folder }, cause);
  }
}

function refusal(holder: string): AppError {
  const file = lockFile();
  const message = `a benchmark is running or being verified in another window or a terminal (${holder}); this one can start when it has ended. If that process is not Hotpath, delete ${file}`;
  return new AppError("request/invalid", message, { holder, file });
}
