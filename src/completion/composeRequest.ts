// A completion request of all that is known at a keystroke. The editor and the replay of recorded typing both come here,
// so that what is measured is what people get.
import type { LoadedModel } from "../protocol/model.ts";
import type { LatencySummary } from "./latency.ts";
import { fitMaxTokens } from "./limits.ts";
import type { Place } from "./place.ts";
import type { IndentationStyle } from "./postProcess/step.ts";
import { choosePromptTokens } from "./promptBudget.ts";
import type { Trigger } from "./trigger.ts";
import type { CompletionRequest } from "./turn.ts";

/** A completion that takes longer answers a question nobody asks any more. */
const timeLimitMs = 10_000;

/** The user's settings of the same names. */
export interface CompletionPreferences {
  /** 0: what this machine computes in about a second. */
  readonly maxPromptTokens: number;
  readonly maxTokens: number;
  /** 0 leaves it to the code around the cursor. */
  readonly maxLines: number;
  readonly temperature: number;
  /** Milliseconds; -1 adapts to typing and model. */
  readonly delay: number;
}

/** Of who never changed a setting. */
export const defaultPreferences: CompletionPreferences = {
  maxPromptTokens: 0,
  maxTokens: 64,
  maxLines: 0,
  temperature: 0,
  delay: -1,
};

export interface KeystrokeContext {
  readonly documentId: string;
  readonly languageId: string;
  readonly indentation: IndentationStyle;
  readonly moment: Omit<Trigger, "latencyMs" | "fixedDelayMs">;
  readonly model: LoadedModel;
  readonly preferences: CompletionPreferences;
  /** Of the completions before this one. */
  readonly latency: LatencySummary;
}

export function composeRequest(place: Place, context: KeystrokeContext): CompletionRequest {
  const { documentId, languageId, indentation, moment, model, preferences, latency } = context;
  const { maxPromptTokens, maxTokens, maxLines, temperature, delay } = preferences;
  return {
    ...place,
    documentId,
    languageId,
    indentation,
    trigger: { ...moment, latencyMs: latency.totalP50Ms, fixedDelayMs: delay < 0 ? null : delay },
    modelKey: JSON.stringify(model.spec),
    modelMaxLines: model.maxLines,
    limits: {
      maxPromptTokens: maxPromptTokens || choosePromptTokens(latency.prefillTokensPerSecond),
      maxTokens: fitMaxTokens(maxTokens, model.contextLength),
      maxLines,
      temperature,
      timeLimitMs,
    },
  };
}
