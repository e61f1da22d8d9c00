import { isBlank, lineAfter } from "./lines.ts";
import { headOf, type Place, type Suggestion, typedSince } from "./place.ts";

/** What a completion puts into the document. */
export interface Insertion {
  readonly text: string;
  readonly replaceAfter: number;
}

/**
 * What is left of a suggestion for a person who typed its beginning, or null when they typed something else or all of it.
 * The rest is right when accepting it now gives the very document that accepting the whole would have given then. That
 * covers closing characters the editor added or stepped over meanwhile.
 */
export function remainder(suggestion: Suggestion, now: Place): Insertion | null {
  const typed = typedSince(suggestion.prefix, now.prefix);
  if (typed === null || !suggestion.text.startsWith(typed)) return null;
  const text = suggestion.text.slice(typed.length);
  if (isBlank(text)) return null;
  const target = headOf(suggestion.suffix.slice(suggestion.replaceAfter));
  const line = lineAfter(now.suffix);
  for (let replaceAfter = 0; replaceAfter <= line.length; replaceAfter++) {
    const isTarget = headOf(now.suffix.slice(replaceAfter)) === target;
    if (isTarget && isSubsequence(line.slice(0, replaceAfter), text)) return { text, replaceAfter };
  }
  return null;
}

/** VS Code can show a suggestion as ghost text only if what it replaces stays in it. */
export function isSubsequence(characters: string, text: string): boolean {
  let at = 0;
  for (const character of characters) {
    at = text.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
