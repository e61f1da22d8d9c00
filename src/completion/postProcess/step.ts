// What the steps of post-processing have in common.
import type { StopReason } from "../../protocol/model.ts";
import type { Place } from "../place.ts";
import type { Insertion } from "../typedAsSuggested.ts";

/** Indentation in a person's own style, named as in the editor's options. */
export interface IndentationStyle {
  readonly insertSpaces: boolean;
  readonly tabSize: number;
}

export interface PostProcessContext extends Place {
  readonly languageId: string;
  readonly indentation: IndentationStyle;
  readonly stopReason: StopReason;
}

/** Why a text is not worth showing. */
export type DropReason = "blank" | "repeats-above" | "repeats-below";

export type StepResult = Insertion | { readonly dropped: DropReason };

/** Pure. Gives back the very same object when there is nothing to do. */
export type Step = (insertion: Insertion, context: PostProcessContext) => StepResult;

export function withText(insertion: Insertion, text: string): Insertion {
  return text === insertion.text ? insertion : { ...insertion, text };
}
