// Runs one step of post-processing, or all, on a case in the cursor notation.
import { type PostProcessed, postProcess } from "../../src/completion/postProcess/postProcess.ts";
import type { PostProcessContext, Step, StepResult } from "../../src/completion/postProcess/step.ts";
import { at } from "./cursor.ts";

export type Situation = Partial<Omit<PostProcessContext, "prefix" | "suffix">>;

function contextOf(code: string, situation: Situation): PostProcessContext {
  return {
    ...at(code),
    languageId: "typescript",
    indentation: { insertSpaces: true, tabSize: 2 },
    stopReason: "end",
    ...situation,
  };
}

export function applyStep(step: Step, code: string, text: string, situation: Situation = {}): StepResult {
  return step({ text, replaceAfter: 0 }, contextOf(code, situation));
}

export function applyAll(code: string, text: string, situation: Situation = {}): PostProcessed {
  return postProcess(text, contextOf(code, situation));
}

/** The document after the text was accepted. */
export function accepted(code: string, { text, replaceAfter }: PostProcessed): string {
  const { prefix, suffix } = at(code);
  return prefix + text + suffix.slice(replaceAfter);
}
