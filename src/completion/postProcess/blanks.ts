import { scan } from "../brackets.ts";
import { isBlank, lineAfter, lineBefore } from "../lines.ts";
import { syntaxOf } from "../syntax.ts";
import { type Step, withText } from "./step.ts";

/** One blank is enough where the model repeats the one before the cursor. In strings and comments it may mean more. */
export const dropDoubledBlank: Step = (insertion, { prefix, languageId }) => {
  const line = lineBefore(prefix);
  const isDoubled = !isBlank(line) && /[ \t]$/.test(line) && /^[ \t]/.test(insertion.text);
  if (!isDoubled || scan(prefix, syntaxOf(languageId)).inside !== "") return insertion;
  return withText(insertion, insertion.text.replace(/^[ \t]+/, ""));
};

/** Blanks at line ends, and blank lines at the end. A blank before the rest of the line stays. */
export const trimTrailingBlanks: Step = (insertion, { suffix }) => {
  const text = insertion.text.replace(/[ \t]+(?=\n)/g, "");
  const isAtLineEnd = isBlank(lineAfter(suffix).slice(insertion.replaceAfter));
  return withText(insertion, isAtLineEnd ? text.trimEnd() : text);
};

export const dropBlank: Step = (insertion) => (isBlank(insertion.text) ? { dropped: "blank" } : insertion);
