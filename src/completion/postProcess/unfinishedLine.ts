import { isFilled } from "../lines.ts";
import { type Step, withText } from "./step.ts";

/** Removes the last line of several when the model was stopped in its middle. */
export const dropUnfinishedLine: Step = (insertion, { stopReason }) => {
  if (stopReason !== "tokens" && stopReason !== "time") return insertion;
  const finished = insertion.text.slice(0, Math.max(0, insertion.text.lastIndexOf("\n")));
  return isFilled(finished) ? withText(insertion, finished) : insertion;
};
