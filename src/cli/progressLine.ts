import { plain } from "../benchmark/report/text.ts";
import { formatDuration } from "../common/formatDuration.ts";

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
    if (step !== this.#step) {
      // What was there already took no time.
      this.#step = step;
      this.#startedMs = performance.now();
      this.#startedAt = done;
    }
    const share = (done - this.#startedAt) / (total - this.#startedAt);
    const leftMs = (performance.now() - this.#startedMs) * (1 / share - 1);
    const left = share > 0 && share < 1 ? `, ${formatDuration(leftMs)} left` : "";
    this.#rewrite(text, `, ${Math.floor((100 * done) / total)} %${left}`);
  }

  /** A text that tells by itself how far the job is. */
  say(text: string): void {
    this.#rewrite(text, "");
  }

  clear(): void {
    if (this.#out.isTTY) this.#out.write("\r\u001b[K");
  }

  /** On one line, as of more than one only the last could be rewritten. Both ends of a text tell more than its middle. */
  #rewrite(text: string, end: string): void {
    if (!this.#out.isTTY) return;
    const room = Math.max(1, terminalWidth(this.#out) - 1 - end.length);
    const line = plain(text);
    const kept = Math.floor(room / 3);
    const shown = line.length > room ? `${line.slice(0, room - kept - 1)}…${line.slice(line.length - kept)}` : line;
    this.#out.write(`\r\u001b[K${shown}${end}`);
  }
}

/** In columns. Some terminals do not tell theirs, or say 0. */
export function terminalWidth({ columns }: NodeJS.WriteStream): number {
  return columns || 80;
}
