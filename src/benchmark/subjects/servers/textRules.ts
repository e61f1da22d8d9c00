// The engine's rules for where a text ends, for servers that know only some of them.
import type { GenerationRequest } from "../../subject.ts";

type Rules = Pick<GenerationRequest, "stop" | "maxLines">;

/** Collects streamed text up to where the request wants it to end. */
export class TextRules {
  readonly #stop: readonly string[];
  readonly #maxLines: number;
  #text = "";
  #end: "stop" | "lines" | null = null;

  constructor({ stop, maxLines }: Rules) {
    this.#stop = stop;
    this.#maxLines = maxLines;
  }

  get text(): string {
    return this.#text;
  }

  /** Why the text has ended; null: it has not. */
  get end(): "stop" | "lines" | null {
    return this.#end;
  }

  add(chunk: string): void {
    if (this.#end) return;
    this.#text += chunk;
    const stopAt = Math.min(
      ...this.#stop.map((stop) => this.#text.indexOf(stop)).map((at) => (at < 0 ? Infinity : at)),
    );
    const linesAt = this.#maxLines > 0 ? nthLineFeed(this.#text, this.#maxLines) : Infinity;
    const end = Math.min(stopAt, linesAt);
    if (end === Infinity) return;
    this.#end = stopAt <= linesAt ? "stop" : "lines";
    this.#text = this.#text.slice(0, end);
  }
}

function nthLineFeed(text: string, n: number): number {
  let at = -1;
  for (let found = 0; found < n; found++) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return Infinity;
  }
  return at;
}
