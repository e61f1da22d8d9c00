// Ghost text in a terminal: the lines around the cursor, the completion dimmed between them.
import type { Outcome } from "../completion/outcome.ts";

const linesBefore = 8;
const linesAfter = 4;
const dim = "\u001b[2m";
const bright = "\u001b[22m";
const clearDown = "\u001b[J";

export class GhostText {
  readonly #out: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  #suffix = "";
  #lastLine = "";
  #streamed = "";

  /** Without a terminal nothing streams: the finished text is printed between plain marks. */
  constructor(out: NodeJS.WriteStream, isTerminal: boolean) {
    this.#out = out;
    this.#isTerminal = isTerminal;
  }

  begin(prefix: string, suffix: string): void {
    const lines = prefix.split("\n").slice(-linesBefore);
    this.#lastLine = lines.at(-1) ?? "";
    this.#suffix = suffix;
    this.#out.write(lines.join("\n"));
  }

  grow(text: string): void {
    this.#streamed += text;
    if (this.#isTerminal) this.#out.write(`${dim}${text}${bright}`);
  }

  /** Post-processing may have changed what streamed: rewrites it then. */
  end({ text, replaceAfter }: Pick<Outcome, "text" | "replaceAfter">): void {
    if (!this.#isTerminal) this.#out.write(`⟦${text}⟧`);
    else if (text !== this.#streamed) this.#rewrite(text);
    this.#out.write(`${this.#suffix.slice(replaceAfter).split("\n").slice(0, linesAfter).join("\n")}\n`);
  }

  #rewrite(text: string): void {
    const up = this.#streamed.split("\n").length - 1;
    const home = up > 0 ? `\u001b[${up}A\r` : "\r";
    this.#out.write(`${home}${clearDown}${this.#lastLine}${dim}${text}${bright}`);
  }
}
