// What Hotpath is doing, worked out from the states of its parts. The status bar and the quick menu show it.
import { AppError } from "../common/errors.ts";
import type { EngineState } from "../engine/engine.ts";
import { type LoadedModel, type ModelSpec, specKey } from "../protocol/model.ts";
import type { SnoozedUntil, SnoozeEnd } from "./snooze.ts";

export type OffReason =
  | { readonly kind: "everywhere" }
  | { readonly kind: "language"; readonly languageId: string }
  /** The active document is never completed. */
  | { readonly kind: "document"; readonly why: string }
  | { readonly kind: "snoozed"; readonly until: SnoozeEnd };

export type Status =
  | { readonly kind: "off"; readonly reason: OffReason }
  | { readonly kind: "error"; readonly error: AppError; readonly retryInMs: number | null }
  | { readonly kind: "starting" }
  | { readonly kind: "loading"; readonly fraction: number; readonly remainingMs: number | null }
  | { readonly kind: "generating" }
  | { readonly kind: "ready" }
  /** Nothing is in memory; the next completion loads it. */
  | { readonly kind: "idle" };

export interface StatusInputs {
  readonly isEnabled: boolean;
  readonly snoozedUntil: SnoozedUntil;
  /** Language of the active editor, when completions are off for it. */
  readonly disabledLanguageId: string | null;
  /** Why the active document is never completed; null when it is. */
  readonly documentSkip: string | null;
  readonly engine: EngineState;
  /** The window's own: what others load of the same file in another way does not count. */
  readonly model: ModelSpec;
  readonly isGenerating: boolean;
  /** Of the last completion or load, until one succeeds. */
  readonly failure: AppError | null;
}

export function deriveStatus(inputs: StatusInputs): Status {
  const reason = offReason(inputs);
  if (reason) return { kind: "off", reason };
  const { engine, failure } = inputs;
  if (engine.kind === "failed") return { kind: "error", error: engine.error, retryInMs: engine.retryInMs };
  if (failure) return { kind: "error", error: failure, retryInMs: null };
  if (engine.kind === "starting") return { kind: "starting" };
  if (engine.kind === "stopped") return { kind: "idle" };
  const model = engine.models.get(specKey(inputs.model));
  if (model?.phase === "loading") return { kind: "loading", fraction: model.fraction, remainingMs: model.remainingMs };
  if (model?.phase === "failed") {
    const error = new AppError(model.error.code, model.message, model.error.details);
    return { kind: "error", error, retryInMs: null };
  }
  if (model?.phase !== "ready") return { kind: "idle" };
  return { kind: inputs.isGenerating ? "generating" : "ready" };
}

function offReason(inputs: StatusInputs): OffReason | null {
  if (!inputs.isEnabled) return { kind: "everywhere" };
  if (inputs.snoozedUntil !== null) return { kind: "snoozed", until: inputs.snoozedUntil };
  if (inputs.documentSkip !== null) return { kind: "document", why: inputs.documentSkip };
  if (inputs.disabledLanguageId !== null) return { kind: "language", languageId: inputs.disabledLanguageId };
  return null;
}

export function readyModel(engine: EngineState, spec: ModelSpec): LoadedModel | null {
  if (engine.kind !== "running") return null;
  const state = engine.models.get(specKey(spec));
  return state?.phase === "ready" ? state.model : null;
}
