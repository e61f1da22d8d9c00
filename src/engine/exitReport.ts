// Why an engine process is gone, told from what it left behind.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../common/errors.ts";
import type { RuntimeFiles } from "../protocol/runtimeFiles.ts";

/** The record is written by the engine's starter within milliseconds of its end; later than this it does not come. */
const recordWaitMs = 600;
const tailBytes = 4096;
const tailLines = 12;

export interface ExitStatus {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** `engine/exited` with exit code or signal and the last log lines in its details. */
export async function exitReport(files: RuntimeFiles, instance: string, pid: number): Promise<AppError> {
  const { exitCode, signal } = await readExitStatus(files.exit(instance));
  const how = signal
    ? `was ended by ${signal}`
    : exitCode === null
      ? "ended, its exit status is not known"
      : `ended with exit code ${exitCode}`;
  const hint = signal === "SIGKILL" ? " (somebody killed it, or the system ran out of memory)" : "";
  const logTail = readLogTail(files.log);
  return new AppError("engine/exited", `the engine process ${pid} ${how}${hint}`, { pid, exitCode, signal, logTail });
}

async function readExitStatus(file: string): Promise<ExitStatus> {
  for (const giveUpAt = performance.now() + recordWaitMs; performance.now() < giveUpAt; await sleep(10)) {
    const text = await readFile(file, "utf8").catch(() => ""); // Not there yet, or never.
    if (text.endsWith("\n")) return parseExitStatus(text);
  }
  return { exitCode: null, signal: null };
}

/** A shell's `$?`: 128 and more is a signal. */
export function parseExitStatus(text: string): ExitStatus {
  const status = Number.parseInt(text, 10);
  if (!Number.isInteger(status)) return { exitCode: null, signal: null };
  const signal = Object.entries(os.constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal ? { exitCode: null, signal } : { exitCode: status, signal: null };
}

export function readLogTail(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return ""; // An engine that never started wrote no log.
  }
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8").trimEnd().split("\n").slice(-tailLines).join("\n");
  } finally {
    closeSync(descriptor);
  }
}
