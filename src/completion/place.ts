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

// Windows of one document start at different offsets as the cursor moves, so places are compared by what is near the
// cursor. A shorter window reaches the start or the end of the document, and then has to be equal as a whole.
const tailLength = 1000;
const headLength = 500;

export const longestTyped = 200;

export function tailOf(prefix: string): string {
  return prefix.slice(-tailLength);
}

export function headOf(suffix: string): string {
  return suffix.slice(0, headLength);
}

/** What was typed to get from one prefix to the other, or null when that is not how one becomes the other. */
export function typedSince(then: string, now: string): string | null {
  const tail = tailOf(then);
  for (let typed = 0; typed <= Math.min(longestTyped, now.length); typed++) {
    const end = now.length - typed;
    if (now.slice(Math.max(0, end - tailLength), end) === tail) return now.slice(end);
  }
  return null;
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
