// One line or many. A simple rule over indentation until syntax trees decide.
import { indentWidth, isBlank, lineAfter, lineBefore, nextFilledLine, opensBlock, opensList } from "./lines.ts";
import type { Place } from "./place.ts";

export interface LineLimits {
  /** The most a person wants; 0 leaves it to the code around the cursor. */
  readonly wanted: number;
  /** The most lines of this model that are worth showing; null: no limit of its own. */
  readonly model: number | null;
}

const longestBlock = 16;

/** Lines to generate, at most. 1 is a single line. */
export function chooseMaxLines(place: Place, limits: LineLimits, tabSize: number): number {
  if (!startsBlock(place, tabSize)) return 1;
  return Math.max(1, Math.min(limits.wanted || longestBlock, limits.model ?? Number.POSITIVE_INFINITY));
}

function startsBlock({ prefix, suffix }: Place, tabSize: number): boolean {
  if (!isBlank(lineAfter(suffix))) return false;
  const line = lineBefore(prefix);
  if (!isBlank(line) && !opensBlock(line) && !opensList(line)) return false;
  const next = nextFilledLine(suffix);
  return next === undefined || indentWidth(next, tabSize) <= indentWidth(line, tabSize);
}
