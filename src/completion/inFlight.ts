// A generation that is running, and who may still want it.
import { abortable } from "../common/cancellation.ts";
import type { GenerateParams, GenerateResult } from "../protocol/model.ts";
import { normalizeLineEnds } from "./lines.ts";
import { type Place, suffixFollows, typedSince } from "./place.ts";

/** The engine as the pipeline sees it: streams through `onText`, rejects with an AppError, `request/cancelled` on abort. */
export type Generate = (
  params: GenerateParams,
  onText: (text: string) => void,
  signal: AbortSignal,
) => Promise<GenerateResult>;

/** What a generation gave for a place. */
export interface Adopted {
  /** The text from that place on. */
  readonly rawText: string;
  readonly result: GenerateResult;
  /** When the first character for that place was there; null when none came. */
  readonly firstTextMs: number | null;
}

/**
 * What a generated text goes on with at another place, or null when it does not lead there. While it is shorter than
 * what was typed it may still come to agree, and goes on with nothing.
 */
export function textAt(generatedFor: Place, text: string, now: Place): string | null {
  const typed = typedSince(generatedFor.prefix, now.prefix);
  if (typed === null || !suffixFollows(generatedFor.suffix, now.suffix, typed)) return null;
  if (text.startsWith(typed)) return text.slice(typed.length);
  return typed.startsWith(text) ? "" : null;
}

/** Outlives the request that started it: the next keystroke decides whether it is adopted or aborted. */
export class RunningGeneration {
  readonly place: Place;
  /** For the owner to handle, also when nobody follows any more. */
  readonly result: Promise<GenerateResult>;
  readonly #controller = new AbortController();
  readonly #now: () => number;
  readonly #startedMs: number;
  #endedMs: number | null = null;
  #text = "";
  readonly #followers = new Set<() => void>();

  constructor(place: Place, params: GenerateParams, generate: Generate, now: () => number) {
    this.place = place;
    this.#now = now;
    this.#startedMs = now();
    this.result = generate(params, (text) => this.#grow(text), this.#controller.signal).finally(() => {
      this.#endedMs = now();
    });
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** From the start to the end, or to now. */
  get elapsedMs(): number {
    return (this.#endedMs ?? this.#now()) - this.#startedMs;
  }

  abort(): void {
    this.#controller.abort();
  }

  agreesWith(place: Place): boolean {
    return textAt(this.place, normalizeLineEnds(this.#text), place) !== null;
  }

  /**
   * Waits for the text at a place. null as soon as the text takes another way, and when it ends before that place.
   * The signal ends the waiting only.
   */
  async follow(place: Place, signal: AbortSignal): Promise<Adopted | null> {
    let firstTextMs: number | null = null;
    let part = () => {};
    const parting = new Promise<null>((resolve) => {
      part = () => resolve(null);
    });
    const check = () => {
      const text = textAt(this.place, normalizeLineEnds(this.#text), place);
      if (text) firstTextMs ??= this.#now();
      if (text === null) part();
    };
    this.#followers.add(check);
    try {
      check();
      const result = await abortable(Promise.race([this.result, parting]), signal);
      if (result === null) return null;
      const rawText = this.#textToAdopt(result, place);
      return rawText === null ? null : { rawText, result, firstTextMs };
    } finally {
      this.#followers.delete(check);
    }
  }

  /** Having written nothing is an answer for the place it was asked at, and none for where a person typed on. */
  #textToAdopt(result: GenerateResult, place: Place): string | null {
    const text = textAt(this.place, normalizeLineEnds(result.text), place);
    return text === "" && place.prefix !== this.place.prefix ? null : text;
  }

  #grow(text: string): void {
    this.#text += text;
    for (const check of this.#followers) check();
  }
}
