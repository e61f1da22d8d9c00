// The runs on this machine: one folder each, named by its id, with record.jsonl in it.
import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { dataFolder } from "../../common/dataFolder.ts";
import { AppError, toAppError } from "../../common/errors.ts";
import type { EndEntry, Left, RunEntry } from "./entries.ts";
import { holderOf } from "./fileLock.ts";
import { parseRecord } from "./parse.ts";
import { nothingLeft, type RunStatus } from "./resume.ts";
import { shapeProblem } from "./schema.ts";

export interface RunListing {
  readonly run: RunEntry;
  readonly folder: string;
  readonly status: RunStatus;
  /** As its end tells; nothing where that was not told yet. */
  readonly left: Left;
  readonly bytes: number;
  /** Of the last line written. */
  readonly changedAt: string;
}

/** One whose record does not begin as this version reads it. */
export interface UnreadableRun {
  readonly runId: string;
  /** As its id says. */
  readonly startedAt: string;
  readonly problem: AppError;
}

export function runsFolder(env?: NodeJS.ProcessEnv): string {
  return path.join(dataFolder(env), "benchmarks");
}

export function recordFile(folder: string): string {
  return path.join(folder, "record.jsonl");
}

export function lockFile(folder: string): string {
  return path.join(folder, "record.lock");
}

/** Sorts by time: "20261122-203000-3fa9c1". */
export function newRunId(now: Date): string {
  const [date = "", time = ""] = now
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, "")
    .split("T");
  return `${date}-${time}-${randomBytes(3).toString("hex")}`;
}

/** Throws `request/invalid` for what is no id, such as a path. */
export function runFolder(runId: string, env?: NodeJS.ProcessEnv): string {
  if (!isRunId(runId)) throw new AppError("request/invalid", `"${runId}" is not the id of a benchmark run`);
  return path.join(runsFolder(env), runId);
}

export function isRunId(text: string): boolean {
  return /^\d{8}-\d{6}-[0-9a-f]{6}$/.test(text);
}

/** Newest first. Reads the ends of each record only; those of which the first line is unreadable are listed apart. */
export async function listRuns(env?: NodeJS.ProcessEnv): Promise<RunListing[]> {
  return (await describeRuns(env)).filter((described) => "run" in described);
}

/** Newest first. */
export async function listUnreadable(env?: NodeJS.ProcessEnv): Promise<UnreadableRun[]> {
  return (await describeRuns(env)).filter((described) => "problem" in described);
}

async function describeRuns(env?: NodeJS.ProcessEnv): Promise<(RunListing | UnreadableRun)[]> {
  const names = await readdir(runsFolder(env)).catch(() => []); // No run yet.
  const runs = names.filter(isRunId).sort().reverse();
  const described = await Promise.all(runs.map((runId) => describeRun(runId, runFolder(runId, env))));
  return described.filter((each) => each !== null);
}

/** Frees the disk of a run. Rejects with `request/invalid` while it goes on. */
export async function deleteRun(runId: string, env?: NodeJS.ProcessEnv): Promise<void> {
  const folder = runFolder(runId, env);
  const holder = holderOf(lockFile(folder));
  if (holder !== null) throw new AppError("request/invalid", `run ${runId} is being written by ${holder}`);
  if (!(await stat(folder).catch(() => null))) throw new AppError("request/invalid", `there is no run ${runId}`);
  await rm(folder, { recursive: true });
}

/** null: nothing has been written yet. */
async function describeRun(runId: string, folder: string): Promise<RunListing | UnreadableRun | null> {
  const file = await open(recordFile(folder)).catch(() => null);
  if (!file) return null;
  const isRunning = holderOf(lockFile(folder)) !== null;
  try {
    const { size: bytes, mtime } = await file.stat();
    const { run } = parseRecord(await readFirstLine(file));
    const end = await readEnd(file, bytes);
    const status = isRunning ? "running" : (end?.status ?? "unfinished");
    return { run, folder, status, left: end?.left ?? nothingLeft, bytes, changedAt: mtime.toISOString() };
  } catch (thrown) {
    return isRunning ? null : { runId, startedAt: startOfRun(runId), problem: toAppError(thrown) };
  } finally {
    await file.close();
  }
}

/** As its id says, to the second; ISO 8601. */
export function startOfRun(runId: string): string {
  return runId.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-.*$/, "$1-$2-$3T$4:$5:$6.000Z");
}

/** With its line feed. */
async function readFirstLine(file: FileHandle): Promise<string> {
  const held: Buffer[] = [];
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16 * 1024), 0, 16 * 1024, at);
    const feed = buffer.subarray(0, bytesRead).indexOf(10);
    held.push(buffer.subarray(0, feed === -1 ? bytesRead : feed + 1));
    if (feed !== -1 || bytesRead === 0) return Buffer.concat(held).toString("utf8");
    at += bytesRead;
  }
}

/** An `end` line is short. */
async function readEnd(file: FileHandle, bytes: number): Promise<EndEntry | null> {
  const length = Math.min(bytes, 4096);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, bytes - length);
  const last = buffer.toString("utf8").split("\n").at(-2) ?? "";
  try {
    const entry = JSON.parse(last) as { readonly type?: unknown } | null;
    return entry?.type === "end" && shapeProblem(entry) === null ? (entry as EndEntry) : null;
  } catch {
    return null; // Torn, or the end of a long line.
  }
}
