// Cuts the text around the cursor that goes into a request.
import { normalizeLineEnds } from "./lines.ts";
import type { Place } from "./place.ts";

/** A document, or a string, read in pieces so that a large file is never copied as a whole. */
export interface TextSource {
  readonly length: number;
  slice(start: number, end: number): string;
}

export interface WindowLimits {
  /** Characters before the cursor, at most. */
  readonly prefix: number;
  /** Characters after the cursor, at most. */
  readonly suffix: number;
}

/** About 4,000 and 1,000 tokens of code: a little more than the largest prompt, which the engine cuts by tokens. */
const defaultWindow: WindowLimits = { prefix: 16_000, suffix: 4_000 };

// The engine keeps the KV cache of an equal beginning, so the window must not slide with every character: its start
// moves by an eighth of its length at a time.
const stepsPerWindow = 8;

export function cutWindow(source: TextSource, cursor: number, limits: WindowLimits = defaultWindow): Place {
  const end = Math.min(source.length, cursor + limits.suffix);
  return {
    prefix: normalizeLineEnds(source.slice(startOfWindow(source, cursor, limits.prefix), cursor)),
    suffix: normalizeLineEnds(wholeLines(source.slice(cursor, end), end === source.length)),
  };
}

function startOfWindow(source: TextSource, cursor: number, limit: number): number {
  if (cursor <= limit) return 0;
  const step = Math.max(1, Math.floor(limit / stepsPerWindow));
  const start = Math.ceil((cursor - limit) / step) * step;
  // Looking for a line start further than one step would make the start depend on line ends near the cursor.
  const lineEnd = source.slice(start - 1, Math.min(start + step, cursor)).indexOf("\n");
  if (lineEnd >= 0) return start + lineEnd;
  return isLowSurrogate(source.slice(start, start + 1)) ? start + 1 : start;
}

function wholeLines(text: string, isEndOfDocument: boolean): string {
  if (isEndOfDocument) return text;
  const lineEnd = text.lastIndexOf("\n");
  if (lineEnd >= 0) return text.slice(0, lineEnd + 1);
  return isHighSurrogate(text.slice(-1)) ? text.slice(0, -1) : text;
}

function isHighSurrogate(unit: string): boolean {
  return /^[\uD800-\uDBFF]$/.test(unit);
}

function isLowSurrogate(unit: string): boolean {
  return /^[\uDC00-\uDFFF]$/.test(unit);
}
