// How a file is indented, which may differ from what the editor would do in it.
import { indentOf, indentWidth, isFilled, linesBelow, opensBlock, opensBody } from "../lines.ts";
import type { Place } from "../place.ts";
import type { IndentationStyle } from "./step.ts";

export interface FileStyle {
  readonly usesTabs: boolean;
  /** Some lines begin with tabs and some with spaces, or lines with both: then nothing is foreign to the file. */
  readonly isMixed: boolean;
  /** Columns of a tab. */
  readonly tabSize: number;
  /** Columns of one level. */
  readonly unit: number;
}

/** Goes by the lines around the cursor, and by the editor's options where they say nothing. */
export function fileStyleOf({ prefix, suffix }: Place, { insertSpaces, tabSize }: IndentationStyle): FileStyle {
  const lines = [...prefix.split("\n"), ...linesBelow(suffix).split("\n")];
  const tabbed = lines.filter((line) => line.startsWith("\t")).length;
  // One blank is how the lines of a block comment begin.
  const spaced = lines.filter((line) => line.startsWith("  ")).length;
  const usesTabs = tabbed === spaced ? !insertSpaces : tabbed > spaced;
  const unit = usesTabs ? tabSize : stepOf(lines.filter(isFilled), tabSize);
  const isMixed = (tabbed > 0 && spaced > 0) || lines.some((line) => /^\t+ {2}/.test(line));
  return { usesTabs, isMixed, tabSize, unit };
}

const widestStep = 8;

/** The difference between a line that opens a block and the line after it: the expected one, or else the most common. */
function stepOf(lines: readonly string[], expected: number): number {
  const counts = new Map<number, number>();
  for (const [index, line] of lines.entries()) {
    const step = indentOf(lines[index + 1] ?? "").length - indentOf(line).length;
    if (step > 0 && step <= widestStep && opensBody(line)) counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  if (counts.has(expected)) return expected;
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? expected;
}

export function columnOf(line: string, style: FileStyle): number {
  return indentWidth(line, style.tabSize);
}

/** Where the line after this one belongs when nothing else is known. */
export function columnAfter(line: string, style: FileStyle): number {
  return columnOf(line, style) + (opensBlock(line) ? style.unit : 0);
}

export function blanks(columns: number, { usesTabs, tabSize }: FileStyle): string {
  if (!usesTabs) return " ".repeat(columns);
  return "\t".repeat(Math.floor(columns / tabSize)) + " ".repeat(columns % tabSize);
}
