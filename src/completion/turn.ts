// One request under way: what it asks for, its clock, and the outcomes it can have.
import type { GenerateParams, GenerateStats, StopReason } from "../protocol/model.ts";
import type { Adopted } from "./inFlight.ts";
import { chooseMaxLines } from "./lineMode.ts";
import { normalizeLineEnds } from "./lines.ts";
import type { NoneReason, Outcome, OutcomeSource } from "./outcome.ts";
import type { Place } from "./place.ts";
import { type PostProcessed, postProcess, type StepName } from "./postProcess/postProcess.ts";
import type { IndentationStyle } from "./postProcess/step.ts";
import type { Trigger } from "./trigger.ts";
import type { Insertion } from "./typedAsSuggested.ts";

/** Where a user asks for variety: the unlikely tail, which breaks code, is left out. */
const topP = 0.95;

export interface CompletionRequest extends Place {
  /** Requests of one document supersede each other; also names its KV cache in the engine. */
  readonly documentId: string;
  readonly languageId: string;
  readonly indentation: IndentationStyle;
  readonly trigger: Trigger;
  /** Names the model and how it is loaded: equal keys give equal completions. */
  readonly modelKey: string;
  /** The most lines of this model worth showing; null: no limit of its own. */
  readonly modelMaxLines: number | null;
  readonly limits: CompletionLimits;
}

export interface CompletionLimits {
  readonly maxPromptTokens: number;
  readonly maxTokens: number;
  /** 0 leaves it to the code around the cursor. */
  readonly maxLines: number;
  readonly temperature: number;
  readonly timeLimitMs: number;
}

/** What only some outcomes have. */
interface Details {
  readonly reason?: NoneReason | null;
  readonly ttftMs?: number | null;
  readonly queuedMs?: number;
  readonly stats?: GenerateStats;
  readonly rawText?: string;
  readonly changedBy?: readonly StepName[];
}

export class Turn {
  readonly request: CompletionRequest;
  readonly place: Place;
  readonly maxLines: number;
  /** Fires when nobody waits for this turn any more. */
  readonly signal: AbortSignal;
  readonly #now: () => number;
  readonly #startedMs: number;
  #delayMs = 0;

  constructor(request: CompletionRequest, now: () => number, signal: AbortSignal) {
    const { limits, modelMaxLines, indentation } = request;
    this.request = request;
    this.place = { prefix: normalizeLineEnds(request.prefix), suffix: normalizeLineEnds(request.suffix) };
    this.maxLines = chooseMaxLines(this.place, { wanted: limits.maxLines, model: modelMaxLines }, indentation.tabSize);
    this.signal = signal;
    this.#now = now;
    this.#startedMs = now();
  }

  /**
   * Names the question besides the place. Prompt and time budgets are not part of it, they follow the load. Nor is the
   * chosen number of lines: a completion of several lines is still one after its first word was typed.
   */
  get variant(): string {
    const { modelKey, modelMaxLines, languageId, indentation, limits } = this.request;
    return JSON.stringify([
      modelKey,
      modelMaxLines,
      languageId,
      indentation,
      limits.maxLines,
      limits.maxTokens,
      limits.temperature,
    ]);
  }

  generateParams(): GenerateParams {
    const { documentId, limits } = this.request;
    return {
      form: "fim",
      ...this.place,
      maxPromptTokens: limits.maxPromptTokens,
      maxTokens: limits.maxTokens,
      maxLines: this.maxLines,
      stop: [],
      temperature: limits.temperature,
      topP,
      seed: 0,
      timeLimitMs: limits.timeLimitMs,
      sequenceKey: documentId,
      ignoreEnd: false,
      freshCache: false,
      timeTokens: false,
    };
  }

  postProcess(rawText: string, stopReason: StopReason): PostProcessed {
    const { languageId, indentation } = this.request;
    return postProcess(rawText, { ...this.place, languageId, indentation, stopReason });
  }

  /** Waits what is left of a delay that began with the request: following a generation until it parted was waiting, too. */
  async delay(delayMs: number, wait: (ms: number, signal: AbortSignal) => Promise<void>): Promise<void> {
    const leftMs = delayMs - (this.#now() - this.#startedMs);
    if (leftMs <= 0) return;
    await wait(leftMs, this.signal);
    this.#delayMs = leftMs;
  }

  nothing(reason: NoneReason): Outcome {
    return this.#outcome("none", { text: "", replaceAfter: 0 }, { reason });
  }

  /** An answer that was there already. */
  found(source: "typed" | "cache", insertion: Insertion): Outcome {
    return this.#outcome(source, insertion, { ttftMs: this.#now() - this.#startedMs });
  }

  generated(source: "inFlight" | "engine", { rawText, result, firstTextMs }: Adopted, elapsedMs: number): Outcome {
    const processed = this.postProcess(rawText, result.stopReason);
    return this.#outcome(processed.dropped === null ? source : "none", processed, {
      reason: processed.dropped,
      ttftMs: firstTextMs === null ? null : firstTextMs - this.#startedMs,
      queuedMs: Math.max(0, elapsedMs - result.stats.totalMs),
      stats: result.stats,
      rawText,
      changedBy: processed.changedBy,
    });
  }

  #outcome(source: OutcomeSource, { text, replaceAfter }: Insertion, details: Details): Outcome {
    const { reason = null, ttftMs = null, queuedMs = 0, stats = null, rawText = null, changedBy = [] } = details;
    return {
      text,
      replaceAfter,
      source,
      reason,
      timings: { delayMs: this.#delayMs, queuedMs, ttftMs, totalMs: this.#now() - this.#startedMs },
      stats,
      trace: {
        prefixLength: this.place.prefix.length,
        suffixLength: this.place.suffix.length,
        maxLines: this.maxLines,
        rawText,
        changedBy,
      },
    };
  }
}
