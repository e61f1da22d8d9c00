// FILE:LINE:COLUMN as compilers print it: both count from 1, the column in characters.
import { AppError } from "../common/errors.ts";
import { UsageError } from "./command.ts";

export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function parseLocation(text: string): Location {
  const match = /^(.+):(\d+):(\d+)$/.exec(text);
  const [, file, line, column] = match ?? [];
  if (!file) throw new UsageError(`"${text}" is not FILE:LINE:COLUMN, for example src/app.py:12:5`);
  if (line === "0" || column === "0") throw new UsageError(`"${text}": lines and columns count from 1`);
  return { file, line: Number(line), column: Number(column) };
}

/** The text before and after the cursor. */
export function splitAt(text: string, { file, line, column }: Location): { prefix: string; suffix: string } {
  const starts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const start = starts[line - 1];
  if (start === undefined) throw new AppError("request/invalid", `${file} has ${starts.length} lines, not ${line}`);
  const content = text.slice(start, starts[line] ?? text.length).replace(/\r?\n$/, "");
  const characters = [...content];
  if (column > characters.length + 1) {
    const most = characters.length + 1;
    throw new AppError("request/invalid", `line ${line} of ${file} has columns 1 to ${most}, not ${column}`);
  }
  const offset = start + characters.slice(0, column - 1).join("").length;
  return { prefix: text.slice(0, offset), suffix: text.slice(offset) };
}
