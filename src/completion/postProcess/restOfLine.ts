import { scan } from "../brackets.ts";
import { lineAfter } from "../lines.ts";
import { syntaxOf } from "../syntax.ts";
import type { Insertion } from "../typedAsSuggested.ts";
import { type Step, withText } from "./step.ts";

/**
 * Fits the text to what follows the cursor on its line, mostly brackets and quotes the editor closed by itself. What the
 * text ends with is cut off; what it goes on after is replaced, because ghost text cannot be put behind it.
 */
export const fitRestOfLine: Step = (insertion, { prefix, suffix, languageId }) => {
  const rest = lineAfter(suffix).trimEnd();
  if (rest === "" || insertion.text === "") return insertion;
  const syntax = syntaxOf(languageId);
  const { isOutside } = scan(insertion.text, syntax, scan(prefix, syntax).inside);
  const overlap = overlapLength(insertion.text, rest, isOutside);
  if (overlap > 0) return withText(insertion, insertion.text.slice(0, -overlap));
  return replaceRest(insertion, rest, isOutside);
};

/** The end of a one-line text that is also the beginning of the rest. */
function overlapLength(text: string, rest: string, isOutside: readonly boolean[]): number {
  if (text.includes("\n")) return 0;
  for (let length = Math.min(text.length, rest.length); length > 0; length--) {
    const start = text.length - length;
    const isFree = isOutside.slice(start).every(Boolean);
    if (isFree && text.endsWith(rest.slice(0, length)) && !splitsWord(rest, length)) return length;
  }
  return 0;
}

function splitsWord(text: string, at: number): boolean {
  return /\w/.test(text.charAt(at - 1)) && /\w/.test(text.charAt(at));
}

/** Replaces the characters of the rest that the text has itself, in order, where they do not belong to its own brackets. */
function replaceRest(insertion: Insertion, rest: string, isOutside: readonly boolean[]): Insertion {
  const found = foundInOrder(insertion.text, rest, isOutside);
  // Part of a rest is replaced only as far as brackets and quotes go: a comma found somewhere is no reason.
  const replaced = found === rest.length ? rest : (/^[)\]}>"'`]*/.exec(rest.slice(0, found))?.[0] ?? "");
  return /[)\]}>"'`]/.test(replaced) ? { ...insertion, replaceAfter: replaced.length } : insertion;
}

function foundInOrder(text: string, rest: string, isOutside: readonly boolean[]): number {
  let from = 0;
  for (let count = 0; count < rest.length; count++) {
    while (from < text.length && !(isOutside[from] && text[from] === rest[count])) from++;
    if (from === text.length) return count;
    from++;
  }
  return rest.length;
}
