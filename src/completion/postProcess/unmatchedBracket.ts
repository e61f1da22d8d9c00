import { isPartner, reserve, type Scan, scan } from "../brackets.ts";
import { lineAfter } from "../lines.ts";
import { type Syntax, syntaxOf } from "../syntax.ts";
import { isSubsequence } from "../typedAsSuggested.ts";
import { type Step, withText } from "./step.ts";

/**
 * Cuts the text at the first bracket that closes nothing: no bracket of the text, and none before the cursor but those
 * that the code after the cursor closes.
 */
export const cutAtUnmatchedBracket: Step = (insertion, { prefix, suffix, languageId }) => {
  const syntax = syntaxOf(languageId);
  const { unmatched } = scan(insertion.text, syntax);
  if (!syntax.hasBrackets || unmatched.length === 0) return insertion;
  const before = scan(prefix, syntax);
  // In strings and comments brackets are text.
  if (before.inside !== "") return insertion;
  const open = openFor(insertion.text, before, suffix.slice(insertion.replaceAfter), syntax);
  const excess = unmatched.find((index) => !isPartner(open.pop(), insertion.text.charAt(index)));
  if (excess === undefined) return insertion;
  const text = insertion.text.slice(0, excess).trimEnd();
  const replaced = lineAfter(suffix).slice(0, insertion.replaceAfter);
  return withText({ ...insertion, replaceAfter: isSubsequence(replaced, text) ? replaced.length : 0 }, text);
};

/** The brackets before the cursor that are the text's to close. */
function openFor(text: string, { open }: Scan, after: string, syntax: Syntax): string[] {
  // Where more is closed below than is open, blocks began above the window: the rest of the cursor's line is sure.
  const closers = [after, lineAfter(after)].map((code) => closersAfter(text, code, syntax));
  return closers.map((closer) => reserve(open, closer)).find((left) => left !== null) ?? [];
}

/** Brackets after the text that close neither it nor each other. */
function closersAfter(text: string, after: string, syntax: Syntax): string[] {
  const whole = text + after;
  return scan(whole, syntax)
    .unmatched.filter((index) => index >= text.length)
    .map((index) => whole.charAt(index));
}
