// What one process at a time may do: a file with the process id of who does it.
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import { AppError } from "../../common/errors.ts";

/** Gives the lock back. */
export type Release = () => void;

/**
 * Throws `refusal` of the holder when a process that is alive has it, this one included. What a dead one left is removed.
 * Its folder must be there; throws `file/unwritable` when it is not.
 */
export function takeLock(file: string, refusal: (holder: string) => AppError): Release {
  for (let attempt = 0; attempt < 10; attempt++) {
    if (make(file)) return () => rmSync(file, { force: true });
    const holder = holderOf(file);
    if (holder !== null) throw refusal(holder);
    removeStale(file);
  }
  throw new AppError("file/unwritable", `${file} is made anew as often as it is removed`, { file });
}

/** "process 4711", for people; null: nobody has the lock. */
export function holderOf(file: string): string | null {
  try {
    const pid = readFileSync(file, "utf8");
    const ageMs = Date.now() - statSync(file).mtimeMs;
    // Made, but not written yet.
    if (pid === "" && ageMs < 10_000) return "another process";
    // A process id from before this machine started means nothing now; two minutes for clocks that were set.
    return ageMs < os.uptime() * 1000 + 120_000 && isAlive(Number(pid)) ? `process ${pid}` : null;
  } catch {
    return null; // Gone.
  }
}

function make(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // Made, on a disk without room for its text.
    if (syscall === "write") rmSync(file, { force: true });
    throw new AppError("file/unwritable", `${file}: ${(cause as Error).message}`, { file }, cause);
  }
}

/** Somebody may have removed the stale lock and made a fresh one meanwhile: what was moved away is looked at again. */
function removeStale(file: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // Another process was faster.
  }
  if (holderOf(aside) === null) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
