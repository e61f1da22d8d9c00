// Writing record.jsonl. When `append` has resolved, the operating system has the line: what ends the process afterwards
// does not lose it. What ends the machine loses a second at most, and no score.
import { existsSync, statSync } from "node:fs";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../common/errors.ts";
import type { RecordEntry, RunEntry, RunRecord } from "./entries.ts";
import { type Release, takeLock } from "./fileLock.ts";
import { sealEntry } from "./hashes.ts";
import { readRecordFile } from "./recordFile.ts";
import { isUnfinished } from "./resume.ts";
import { lockFile, recordFile } from "./runs.ts";
import { shapeProblem } from "./schema.ts";

const flushMs = 1000;
/** Written to the disk at once: what took long to make. */
const precious: ReadonlySet<RecordEntry["type"]> = new Set(["run", "subject", "score", "resume", "end"]);

export class RecordWriter {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #release: Release;
  #length: number;
  #chain: string;
  /** Calls of `append` wait for each other. */
  #queue: Promise<void> = Promise.resolve();
  /** Something may follow the whole lines. */
  #mayBeTorn = false;
  #isClosed = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushError: Error | undefined;

  private constructor(file: FileHandle, folder: string, release: Release, at: { length: number; chain: string }) {
    this.#file = file;
    this.#path = recordFile(folder);
    this.#release = release;
    this.#length = at.length;
    this.#chain = at.chain;
  }

  /** Starts a record in a folder that has none. Rejects with `file/unwritable`. */
  static async create(folder: string, run: RunEntry): Promise<RecordWriter> {
    await unwritable(folder, () => makeFolder(folder));
    const release = lockRecord(folder);
    let file: FileHandle | undefined;
    try {
      file = await unwritable(folder, () => open(recordFile(folder), "wx", 0o600));
      const writer = new RecordWriter(file, folder, release, { length: 0, chain: "" });
      await writer.append(run);
      return writer;
    } catch (error) {
      await file?.close();
      // Without its first line it is no record, and would be in the way of one.
      if (file) await rm(recordFile(folder), { force: true });
      release();
      throw error;
    }
  }

  /** Goes on with a record; a torn last line is cut off. Rejects when it was changed, is complete or is being written. */
  static async resume(folder: string): Promise<{ writer: RecordWriter; record: RunRecord }> {
    const release = lockRecord(folder);
    try {
      const { record, problems, lastChain, wholeBytes } = await readRecordFile(recordFile(folder));
      const [problem] = problems;
      if (problem)
        throw new AppError("record/invalid", `${problem.message}; such a run cannot be resumed`, { ...problem });
      if (!isUnfinished(record))
        throw new AppError("request/invalid", `run ${record.run.runId} is complete; there is nothing to resume`);
      const file = await unwritable(folder, () => open(recordFile(folder), "r+"));
      const writer = new RecordWriter(file, folder, release, { length: wholeBytes, chain: lastChain });
      writer.#mayBeTorn = true;
      return { writer, record };
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Resolves when the operating system has the line. Rejects with `file/unwritable`; the next line then takes the place
   * of this one, so the same entry may be appended again, for instance when there is room on the disk.
   */
  append(entry: RecordEntry): Promise<void> {
    const done = this.#queue.then(() => unwritable(this.#path, () => this.#write(entry)));
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Waits for what was appended and gives the record back; calls after the first do nothing. */
  async close(): Promise<void> {
    await this.#queue;
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#flushTimer);
    try {
      await unwritable(this.#path, () => this.#file.datasync());
    } finally {
      await this.#file.close();
      this.#release();
    }
  }

  async #write(entry: RecordEntry): Promise<void> {
    if (this.#isClosed) throw new AppError("internal/bug", `"${entry.type}" was appended to a record that is closed`);
    if (this.#flushError) {
      const error = this.#flushError;
      this.#flushError = undefined;
      throw error;
    }
    // What is written to it from now on would be gone with it, however long the run still takes.
    if ((await this.#file.stat()).nlink === 0)
      throw new AppError("file/unwritable", `${this.#path} was deleted while the run was writing it`);
    const { line, chain } = sealEntry(entry, this.#chain);
    const problem = shapeProblem(JSON.parse(line));
    if (problem) throw new AppError("internal/bug", `an entry that nobody could read: ${problem}`);
    if (this.#mayBeTorn) await this.#file.truncate(this.#length);
    // Until all of the line is there, on the disk where it has to be: what was told as failed is cut off by the next.
    this.#mayBeTorn = true;
    const bytes = Buffer.from(`${line}\n`);
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written, this.#length + written);
      written += bytesWritten;
    }
    if (precious.has(entry.type)) await this.#file.datasync();
    this.#mayBeTorn = false;
    this.#length += bytes.length;
    this.#chain = chain;
    if (!precious.has(entry.type)) this.#flushTimer ??= setTimeout(() => void this.#flushLater(), flushMs).unref();
  }

  /** What goes wrong here is told by the next `append`. */
  async #flushLater(): Promise<void> {
    this.#flushTimer = undefined;
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#flushError = error as Error;
    }
  }
}

/** With those above it. Node's own way never ends where the system lets nobody make one, as in /proc. */
async function makeFolder(folder: string): Promise<void> {
  const parent = path.dirname(folder);
  if (parent !== folder && !existsSync(parent)) await makeFolder(parent);
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    const isThere = error.code === "EEXIST" && statSync(folder, { throwIfNoEntry: false })?.isDirectory();
    if (!isThere) throw error;
  });
}

function lockRecord(folder: string): Release {
  const file = lockFile(folder);
  return takeLock(file, (holder) => {
    const message = `${holder} is writing this record; if it is not Hotpath, delete ${file}`;
    return new AppError("file/unwritable", message, { holder, file });
  });
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EEXIST: "there is something already; choose another folder, or go on with the run in it by --resume",
};

async function unwritable<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = reasons[code ?? ""] ?? message;
    throw new AppError("file/unwritable", `${file}: ${why}`, { file, errno: code ?? null }, cause);
  }
}
