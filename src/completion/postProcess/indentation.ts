// Puts the text into the indentation of the file: its depth at the cursor, its blanks, its step.
import { filledLinesAbove, indentOf, isBlank, isFilled, lineBefore, opensBody, opensList } from "../lines.ts";
import { blanks, columnAfter, columnOf, type FileStyle, fileStyleOf } from "./fileStyle.ts";
import { type Step, withText } from "./step.ts";

export const adaptIndentation: Step = (insertion, { prefix, suffix, indentation }) => {
  const style = fileStyleOf({ prefix, suffix }, indentation);
  const cursorLine = lineBefore(prefix);
  const isLineStart = isBlank(cursorLine);
  const [first, ...rest] = isLineStart ? fromFirstFilledLine(insertion.text) : insertion.text.split("\n");
  if (first === undefined) return insertion;
  // A line the model began below the cursor's has its own blanks; one begun at the cursor comes after those there.
  const meant = isLineStart && /^\s*\n/.test(insertion.text) ? first : cursorLine + first;
  const start = isLineStart ? blanksToAdd(meant, prefix, style) + first.trimStart() : first;
  const further = alignFurther(rest, { meant, now: cursorLine + start }, style);
  return withText(insertion, [start, ...further].join("\n"));
};

function fromFirstFilledLine(text: string): readonly string[] {
  const lines = text.split("\n");
  const start = lines.findIndex(isFilled);
  return start < 0 ? [] : lines.slice(start);
}

/** What a first line needs in addition to the blanks before the cursor. */
function blanksToAdd(meant: string, prefix: string, style: FileStyle): string {
  const there = lineBefore(prefix);
  // Nothing to double: an editor that did not indent leaves it to the model.
  if (there === "") return indentOf(meant);
  const column = columnOf(there, style);
  const wanted = columnOf(meant, style) - column;
  const deepest = deepestColumn(prefix, style);
  if (deepest !== null) return blanks(Math.max(0, Math.min(wanted, deepest - column)), style);
  return wanted < style.unit ? "" : blanks(wanted, style);
}

/** How deep the cursor's line may be, by the line above; null when it may be aligned to anything. */
function deepestColumn(prefix: string, style: FileStyle): number | null {
  const above = filledLinesAbove(prefix).at(-1)?.trimEnd();
  if (above === undefined) return 0;
  if (isHead(above)) return columnOf(above, style) + style.unit;
  return continues(above) || opensList(above) ? null : columnAfter(above, style);
}

const heads =
  /^\s*(?:\}\s*)?(?:if|else|elif|elsif|for|while|until|unless|case|when|def|class|module|function|local function)\b/;

/** A statement whose body may follow without a sign for it: C without braces, Ruby, Lua, shell. */
function isHead(line: string): boolean {
  return heads.test(line) && !/[;}]$/.test(line);
}

function continues(line: string): boolean {
  return /[,\\+\-*/%=&|?<>.]$/.test(line) || /^\s*[-*] /.test(line);
}

/** The first line of a text with the blanks before the cursor: as the model meant it, and as it will be. */
interface FirstLine {
  readonly meant: string;
  readonly now: string;
}

/** The lines after the first in the file's blanks, moved along with the first where they belong to it. */
function alignFurther(lines: readonly string[], first: FirstLine, style: FileStyle): readonly string[] {
  if (style.isMixed) return lines;
  const read = columnReader(lines, first, style);
  const columns = lines.filter(isFilled).map(read);
  const shift = shiftWithFirst(columns[0], first, style);
  const shifted = columns.map((column) => column + shift);
  const toBody = bodyMover(shifted, first.now, style);
  return lines.map((line) => {
    if (isBlank(line)) return line;
    const column = read(line);
    const fitted = Math.max(0, toBody(column + shift));
    return fitted === column && isInStyle(indentOf(line), style) ? line : blanks(fitted, style) + line.trimStart();
  });
}

/** Columns in the file's terms, of lines that may be indented by other blanks than the file. */
function columnReader(lines: readonly string[], first: FirstLine, style: FileStyle): (line: string) => number {
  if (!style.usesTabs) return (line) => columnOf(line.replaceAll("\t", " ".repeat(style.unit)), style);
  const spaced = lines.find((line) => isFilled(line) && line.startsWith("  "));
  const unit = spaced === undefined ? style.unit : unitOfSpaces(indentOf(spaced).length, first, style);
  return (line) => {
    const lead = indentOf(line);
    // A single blank begins the lines of a block comment.
    return /^ {2,}$/.test(lead) ? Math.round((lead.length * style.unit) / unit) : columnOf(line, style);
  };
}

/** Spaces per level, from the level the first line that has spaces must be at. */
function unitOfSpaces(spaces: number, first: FirstLine, style: FileStyle): number {
  const unit = (spaces * style.unit) / columnAfter(first.now, style);
  return Number.isInteger(unit) && unit > 1 ? unit : style.unit;
}

/** How far to move when the next line fits to where the first was meant and not to where it is. */
function shiftWithFirst(next: number | undefined, { meant, now }: FirstLine, style: FileStyle): number {
  if (next !== columnAfter(meant, style) || next === columnAfter(now, style)) return 0;
  return columnOf(now, style) - columnOf(meant, style);
}

/** Moves columns so that the body of a block opened on the first line gets the step of the file. */
function bodyMover(columns: readonly number[], firstLine: string, style: FileStyle): (column: number) => number {
  const base = columnOf(firstLine, style);
  const step = (columns[0] ?? base) - base;
  const excess = step - style.unit;
  // One blank is no step: it sets labels apart, such as "public:" in Google's C++ style.
  if (!opensBody(firstLine) || step <= 1 || excess === 0) return (column) => column;
  if (excess > 0 && Math.min(...columns) === base + excess) return (column) => column - excess;
  const isRegular = columns.every((column) => column <= base || (column - base) % step === 0);
  return (column) => (isRegular && column > base ? base + ((column - base) / step) * style.unit : column);
}

function isInStyle(lead: string, { usesTabs }: FileStyle): boolean {
  return !lead.startsWith(usesTabs ? "  " : "\t");
}
