// Whether the lines of a record are those that were written, all of them and in that order.
import { sha256, unsealLine } from "./hashes.ts";

export interface ChainProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** Broken lines that are told of one by one; where one came from is found by hashing every line with it. */
const mostTold = 10;

/** Takes the lines in order. Keeps hashes only, so that it can run over a file of any length. */
export class ChainCheck {
  readonly #lines: { text: string; chain: string }[] = [];
  readonly #broken: number[] = [];
  #before = "";

  /** Says whether the line follows the one before it. */
  add(line: string): boolean {
    const parts = unsealLine(line);
    const follows = parts !== null && sha256(this.#before + parts.text) === parts.chain;
    if (!follows) this.#broken.push(this.#lines.length);
    // Only what is broken is looked at again.
    this.#lines.push({ text: follows ? "" : (parts?.text ?? line), chain: parts?.chain ?? "" });
    this.#before = parts?.chain ?? "";
    return follows;
  }

  /** Of the last line; what the next one is hashed with. */
  get last(): string {
    return this.#before;
  }

  get problems(): ChainProblem[] {
    const told = this.#broken.slice(0, mostTold).map((index) => ({ line: index + 1, message: this.#explain(index) }));
    const next = this.#broken[mostTold];
    if (next === undefined) return told;
    const more = this.#broken.length - mostTold;
    return [...told, { line: next + 1, message: `so it is with ${more} more, from line ${next + 1} on` }];
  }

  #explain(index: number): string {
    const { text = "", chain = "" } = this.#lines[index] ?? {};
    const line = index + 1;
    if (chain === "")
      return text.endsWith("\r")
        ? `line ${line} ends in CR LF: the file was converted`
        : `line ${line} has no chain hash`;
    const origin = this.#lines.findIndex((other) => sha256(other.chain + text) === chain);
    if (origin !== -1 && origin !== index) return `line ${line} was written after line ${origin + 1}: lines were moved`;
    if (index > 0 && sha256(text) === chain) return `line ${line} was written as the first line: lines were moved`;
    return `line ${line} was changed, or lines before it are missing`;
  }
}
