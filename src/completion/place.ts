// Where a completion was asked for, and what a person typed between two such places.

/** The text around a cursor. A window of the document, see documentWindow.ts. Line ends are "\n". */
export interface Place {
  readonly prefix: string;
  readonly suffix: string;
}

/** A suggestion together with the place it was made for. */
export interface Suggestion extends Place {
  readonly text: string;
  /** Characters after the cursor, all on its line, that the text replaces. They occur in the text, in this order. */
  readonly replaceAfter: number;
}

// A completion is right only for the code it was made for, so all of both windows is compared. The start of a window
// moves in steps as the cursor goes on, and its end by whole lines: only long windows are compared as far as both reach.
const longWindow = 10_000;
const headLength = 3_000;

export const longestTyped = 200;

export function headOf(suffix: string): string {
  return suffix.slice(0, headLength);
}

/** What was typed to get from one prefix to the other, or null when that is not how one becomes the other. */
export function typedSince(then: string, now: string): string | null {
  for (let typed = 0; typed <= Math.min(longestTyped, now.length); typed++) {
    const end = now.length - typed;
    if (isSamePrefix(then, now, end)) return now.slice(end);
  }
  return null;
}

/** Compares `then` with `now` up to `end`. */
function isSamePrefix(then: string, now: string, end: number): boolean {
  const shared = Math.min(then.length, end);
  if (then.length !== end && shared < longWindow) return false;
  // Nearly always decided by the character at the cursor.
  if (then.charCodeAt(then.length - 1) !== now.charCodeAt(end - 1) && shared > 0) return false;
  return then.slice(then.length - shared) === now.slice(end - shared, end);
}

const openers: ReadonlyMap<string, string> = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
  [">", "<"],
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
]);

/**
 * Whether the suffix is still the one of then, allowing for what editors do while one types: a closing character
 * appears with the typed opening one, and typing a closing character steps over the one that is there.
 */
export function suffixFollows(then: string, now: string, typed: string): boolean {
  if (headOf(then) === headOf(now)) return true;
  for (let count = 1; count <= typed.length; count++) {
    if (isAdded(then, now, count, typed) || isSteppedOver(then, now, count, typed)) return true;
  }
  return false;
}

function isAdded(then: string, now: string, count: number, typed: string): boolean {
  const added = [...now.slice(0, count)];
  return headOf(now.slice(count)) === headOf(then) && added.every((closer) => isTyped(openers.get(closer), typed));
}

function isSteppedOver(then: string, now: string, count: number, typed: string): boolean {
  const passed = [...then.slice(0, count)];
  const follows = headOf(then.slice(count)) === headOf(now);
  return follows && passed.every((closer) => openers.has(closer) && isTyped(closer, typed));
}

function isTyped(character: string | undefined, typed: string): boolean {
  return character !== undefined && typed.includes(character);
}
