import { formatDuration } from "./format.ts";

/** How far a long job is and how long it will take, rewritten in place; nothing where nobody looks on. */
export class ProgressLine {
  readonly #out: NodeJS.WriteStream;
  #step: string | undefined;
  #startedMs = 0;
  #startedAt = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** `text` says what is done. The clock starts with the first call and with each new `step`. */
  show(done: number, total: number, text: string, step = ""): void {
    if (!this.#out.isTTY) return;
    if (step !== this.#step) {
      // What was there already took no time.
      this.#step = step;
      this.#startedMs = performance.now();
      this.#startedAt = done;
    }
    const share = (done - this.#startedAt) / (total - this.#startedAt);
    const leftMs = (performance.now() - this.#startedMs) * (1 / share - 1);
    const left = share > 0 ? `, ${formatDuration(leftMs)} left` : "";
    this.#out.write(`\r\u001b[K${text}, ${Math.floor((100 * done) / total)} %${left}`);
  }

  /** A text that tells by itself how far the job is. */
  say(text: string): void {
    if (this.#out.isTTY) this.#out.write(`\r\u001b[K${text.slice(0, this.#out.columns - 1)}`);
  }

  clear(): void {
    if (this.#out.isTTY) this.#out.write("\r\u001b[K");
  }
}
