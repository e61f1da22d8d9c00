// Reading record.jsonl: line by line, so that no limit of strings applies, and with its chain checked.
import { createReadStream } from "node:fs";
import { AppError } from "../../common/errors.ts";
import { ChainCheck, type ChainProblem } from "./chain.ts";
import type { RunRecord, WarningEntry } from "./entries.ts";
import { RecordParser } from "./parse.ts";

export interface RecordFile {
  readonly record: RunRecord;
  /** Empty: every line is as it was written. */
  readonly problems: readonly ChainProblem[];
  /** Of the last whole line. */
  readonly lastChain: string;
  /** Length of the whole lines; what follows was torn by a crash. */
  readonly wholeBytes: number;
}

/** No text that a model is asked for comes near this. */
const longestLine = 64 * 1024 * 1024;

/** Rejects with `file/unreadable` or, with the number of the line, `record/invalid`. */
export async function readRecordFile(file: string): Promise<RecordFile> {
  const parser = new RecordParser();
  const chain = new ChainCheck();
  let wholeBytes = 0;
  const rest = await forEachLine(file, (line, end) => {
    if (!parser.add(line)) return;
    chain.add(line);
    wholeBytes = end;
  });
  return { record: parser.finish(rest), problems: chain.problems, lastChain: chain.last, wholeBytes };
}

/** For people: lines that are not as they were written stand among its warnings. Rejects as `readRecordFile` does. */
export async function readRecordToShow(file: string): Promise<RunRecord> {
  const { record, problems } = await readRecordFile(file);
  const warnings = problems.map(
    ({ message }): WarningEntry => ({
      type: "warning",
      atMs: 0,
      code: "changed",
      message: `The record is not as it was written: ${message}.`,
      advice: "Do not rely on its figures.",
      subject: null,
    }),
  );
  return { ...record, entries: [record.run, ...warnings, ...record.entries.slice(1)] };
}

/** Calls `take` with each line and the offset of its end; returns what follows the last line feed. */
async function forEachLine(file: string, take: (line: string, end: number) => void): Promise<string> {
  let held: Buffer[] = [];
  let end = 0;
  for await (const chunk of chunksOf(file)) {
    let start = 0;
    for (let feed = chunk.indexOf(10); feed !== -1; feed = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...held, chunk.subarray(start, feed)]);
      held = [];
      end += line.length + 1;
      take(line.toString("utf8"), end);
      start = feed + 1;
    }
    if (start < chunk.length) held.push(chunk.subarray(start));
    if (held.reduce((sum, { length }) => sum + length, 0) > longestLine)
      throw new AppError("record/invalid", `${file} has a line of more than ${longestLine} bytes: it is no record`);
  }
  return Buffer.concat(held).toString("utf8");
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new AppError("file/unreadable", `${file}: ${(cause as Error).message}`, { file }, cause);
  }
}
