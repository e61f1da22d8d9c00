// From what the model wrote to what is worth showing: pure steps, one after another.
import { normalizeLineEnds } from "../lines.ts";
import type { Insertion } from "../typedAsSuggested.ts";
import { dropBlank, dropDoubledBlank, trimTrailingBlanks } from "./blanks.ts";
import { stopAtBlockEnd } from "./blockEnd.ts";
import { adaptIndentation } from "./indentation.ts";
import { cutAtLineBelow } from "./linesBelow.ts";
import { cutLoops, dropRepeatedAbove } from "./repetition.ts";
import { fitRestOfLine } from "./restOfLine.ts";
import type { DropReason, PostProcessContext, Step } from "./step.ts";
import { dropUnfinishedLine } from "./unfinishedLine.ts";
import { cutAtUnmatchedBracket } from "./unmatchedBracket.ts";

// Indentation comes before all that compares lines; brackets come after the rest of the line said which of them are there.
const steps = {
  unfinishedLine: dropUnfinishedLine,
  doubledBlank: dropDoubledBlank,
  indentation: adaptIndentation,
  loops: cutLoops,
  blockEnd: stopAtBlockEnd,
  lineBelow: cutAtLineBelow,
  repeatedAbove: dropRepeatedAbove,
  restOfLine: fitRestOfLine,
  unmatchedBracket: cutAtUnmatchedBracket,
  trailingBlanks: trimTrailingBlanks,
  blank: dropBlank,
} as const satisfies Record<string, Step>;

export type StepName = keyof typeof steps;

export interface PostProcessed extends Insertion {
  /** Why nothing is left, or null. The text is empty then. */
  readonly dropped: DropReason | null;
  /** The steps that changed or dropped the text, in order. */
  readonly changedBy: readonly StepName[];
}

export function postProcess(rawText: string, context: PostProcessContext): PostProcessed {
  let insertion: Insertion = { text: normalizeLineEnds(rawText), replaceAfter: 0 };
  const changedBy: StepName[] = [];
  for (const [name, step] of Object.entries(steps) as [StepName, Step][]) {
    const result = step(insertion, context);
    if (result !== insertion) changedBy.push(name);
    if ("dropped" in result) return { text: "", replaceAfter: 0, dropped: result.dropped, changedBy };
    insertion = result;
  }
  return { ...insertion, dropped: null, changedBy };
}
