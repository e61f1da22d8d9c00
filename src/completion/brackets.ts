// Which brackets of a piece of code have no partner within it.
import type { Syntax } from "./syntax.ts";

export interface Scan {
  /** Brackets that are opened and not closed, outermost first. */
  readonly open: readonly string[];
  /** Indices of brackets that close something opened before the text. */
  readonly unmatched: readonly number[];
  /** Per index: whether it is outside all brackets and strings that begin in the text. */
  readonly isOutside: readonly boolean[];
  /** What ends the string or comment in which the text ends; "" in code. */
  readonly inside: string;
}

const openerOf: ReadonlyMap<string, string> = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

/** `inside` is what the text before ended in. */
export function scan(text: string, syntax: Syntax, inside = ""): Scan {
  return new Scanner(text, syntax, inside).run();
}

/**
 * Takes from `open` the partners of brackets that come later and close it from the outside: the last of them closes the
 * outermost. null when one of them has no partner.
 */
export function reserve(open: readonly string[], closers: readonly string[]): string[] | null {
  const left = [...open];
  let from = 0;
  for (const closer of closers.toReversed()) {
    const partner = left.indexOf(openerOf.get(closer) as string, from);
    if (partner < 0) return null;
    left.splice(partner, 1);
    from = partner;
  }
  return left;
}

export function isPartner(opener: string | undefined, closer: string): boolean {
  return opener !== undefined && openerOf.get(closer) === opener;
}

// Characters that begin no string, comment or bracket in any language of the table.
const plain = /[\w\s.,:=+&|!?@$%^~]+/y;

class Scanner {
  readonly #text: string;
  readonly #syntax: Syntax;
  readonly #open: string[] = [];
  readonly #unmatched: number[] = [];
  readonly #isOutside: boolean[] = [];
  #inside: string;
  /** Whether the string or comment of #inside began in this text. */
  #isOwn = false;

  constructor(text: string, syntax: Syntax, inside: string) {
    this.#text = text;
    this.#syntax = syntax;
    this.#inside = inside;
  }

  run(): Scan {
    for (let at = 0; at < this.#text.length; ) at = this.#inside ? this.#stepInside(at) : this.#stepCode(at);
    const open = this.#open.filter((bracket) => bracket !== "<");
    return { open, unmatched: this.#unmatched, isOutside: this.#isOutside, inside: this.#inside };
  }

  #stepInside(at: number): number {
    const end = this.#inside;
    if (this.#text[at] === "\\" && isQuote(end)) return this.#pass(at, 2, !this.#isOwn);
    if (this.#text.startsWith(end, at)) {
      const next = this.#pass(at, end.length, !this.#isOwn);
      this.#inside = "";
      return next;
    }
    if (this.#text[at] === "\n" && this.#endsWithLine(end)) this.#inside = "";
    return this.#pass(at, 1, !this.#isOwn);
  }

  #stepCode(at: number): number {
    const run = lengthAt(plain, this.#text, at);
    if (run > 0) return this.#pass(at, run, this.#open.length === 0);
    const begin = this.#beginAt(at);
    if (begin) {
      this.#inside = begin.end;
      this.#isOwn = true;
      return this.#pass(at, begin.length, false);
    }
    const literal = this.#literalLength(at);
    if (literal > 0) return this.#pass(at, literal, false);
    const isOutside = this.#countBracket(at);
    return this.#pass(at, 1, isOutside);
  }

  /** The string or comment that begins here. */
  #beginAt(at: number): { end: string; length: number } | null {
    const { lineComment, blockComment, longQuotes, quotes } = this.#syntax;
    const starts = (token: string) => this.#text.startsWith(token, at);
    if (lineComment && starts(lineComment)) return { end: "\n", length: lineComment.length };
    if (blockComment && starts(blockComment[0])) return { end: blockComment[1], length: blockComment[0].length };
    const long = longQuotes.find(starts);
    if (long) return { end: long, length: long.length };
    const character = this.#text.charAt(at);
    return quotes.includes(character) ? { end: character, length: 1 } : null;
  }

  #literalLength(at: number): number {
    const { hasCharLiterals, hasRegexLiterals } = this.#syntax;
    if (hasCharLiterals && this.#text[at] === "'") return lengthAt(charLiteral, this.#text, at);
    if (hasRegexLiterals && this.#text[at] === "/") return regexLength(this.#text, at);
    return 0;
  }

  #countBracket(at: number): boolean {
    const character = this.#text.charAt(at);
    if ("([{".includes(character) || this.#opensTypeArguments(at)) {
      this.#open.push(character);
      return false;
    }
    if (character === ">" && this.#open.at(-1) === "<" && !/[=-]/.test(this.#text.charAt(at - 1))) {
      this.#open.pop();
      return false;
    }
    return openerOf.has(character) ? this.#countCloser(at, character) : this.#open.length === 0;
  }

  #countCloser(at: number, closer: string): boolean {
    // Also forgets what stands open inside: a "<" that was a comparison, or a bracket somebody forgot to close.
    const partner = this.#open.lastIndexOf(openerOf.get(closer) as string);
    if (partner >= 0) {
      this.#open.length = partner;
      return false;
    }
    while (this.#open.at(-1) === "<") this.#open.pop();
    this.#unmatched.push(at);
    return true;
  }

  /** `Map<string>` opens something, `a < b` and `a <= b` do not. */
  #opensTypeArguments(at: number): boolean {
    return (
      this.#text[at] === "<" && /\w/.test(this.#text.charAt(at - 1)) && /[\w[{(&'?]/.test(this.#text.charAt(at + 1))
    );
  }

  #endsWithLine(end: string): boolean {
    return end.length === 1 && this.#syntax.quotes.includes(end) && !this.#syntax.longQuotes.includes(end);
  }

  #pass(at: number, length: number, isOutside: boolean): number {
    const next = Math.min(this.#text.length, at + length);
    for (let index = at; index < next; index++) this.#isOutside.push(isOutside);
    return next;
  }
}

function isQuote(end: string): boolean {
  return /^["'`]/.test(end);
}

const charLiteral = /'(?:\\[^\n][^\n']{0,9}|[^'\\\n]{1,2})'/y;
const regexLiteral = /\/(?![*/])(?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n])*\]|[^/\\\n[])+\//y;

/** After a value "/" divides. */
function regexLength(text: string, at: number): number {
  const before = text.slice(Math.max(0, at - 20), at).trimEnd();
  const isDivision = /[\w)\]}"'`]$/.test(before) && !/\b(?:return|case|typeof|in|of)$/.test(before);
  return isDivision ? 0 : lengthAt(regexLiteral, text, at);
}

function lengthAt(sticky: RegExp, text: string, at: number): number {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0].length ?? 0;
}
