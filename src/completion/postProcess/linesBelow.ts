import { isBlank, isFilled, lineAfter, lineBefore, linesBelow } from "../lines.ts";
import { type Step, withText } from "./step.ts";

/** Ends the text before the line that follows the cursor's line anyway; drops it when all of it follows anyway. */
export const cutAtLineBelow: Step = (insertion, { prefix, suffix }) => {
  const below = linesBelow(suffix).split("\n").filter(isFilled).map(trimEnd);
  if (below[0] === undefined) return insertion;
  const [first = "", ...rest] = insertion.text.split("\n");
  const whole = [lineBefore(prefix) + first, ...rest].filter(isFilled).map(trimEnd);
  const isThere = whole.every((line, index) => line === below[index]);
  if (isThere && isWholeLine(prefix, suffix, first)) return { dropped: "repeats-below" };
  const at = rest.findIndex((line) => trimEnd(line) === below[0]);
  if (at < 0) return insertion;
  const kept = [first, ...rest.slice(0, at)].join("\n");
  return isFilled(kept) ? withText(insertion, kept) : { dropped: "repeats-below" };
};

function trimEnd(line: string): string {
  return line.trimEnd();
}

/** Whether the first line makes the cursor's line complete, and says more than a bracket that ends what was typed. */
function isWholeLine(prefix: string, suffix: string, first: string): boolean {
  return isBlank(lineAfter(suffix)) && (isBlank(lineBefore(prefix)) || /\w/.test(first));
}
