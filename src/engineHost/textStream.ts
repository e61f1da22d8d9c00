// Sends generated text in few messages: the first piece at once, what follows within a few milliseconds together.
import type { Disposable } from "../common/dispose.ts";

/** Shorter than a frame of any screen; a model that is faster than this would spend its core on messages. */
const gatherMs = 4;

export class TextStream implements Disposable {
  readonly #send: (text: string) => void;
  #gathered = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  push(text: string): void {
    this.#gathered += text;
    if (!this.#timer) this.#flush();
  }

  /** Sends what is left. */
  dispose(): void {
    if (this.#gathered) this.#send(this.#gathered);
    this.#gathered = "";
    clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = undefined;
    if (!this.#gathered) return;
    this.#send(this.#gathered);
    this.#gathered = "";
    this.#timer = setTimeout(() => this.#flush(), gatherMs);
  }
}
