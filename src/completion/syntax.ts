// The few lexical facts needed to find brackets that are brackets: how languages write strings and comments.

export interface Syntax {
  readonly lineComment: string | null;
  readonly blockComment: readonly [string, string] | null;
  /** Quotes of strings that end with their line, one per character. */
  readonly quotes: string;
  /** Quotes of strings that may span lines, longest first. */
  readonly longQuotes: readonly string[];
  /** `'` encloses one character, and is something else elsewhere: lifetimes, digit groups. */
  readonly hasCharLiterals: boolean;
  /** `/` may begin a regular expression, in which brackets are characters. */
  readonly hasRegexLiterals: boolean;
  /** False in prose, where brackets need no partner. */
  readonly hasBrackets: boolean;
}

const c: Syntax = {
  lineComment: "//",
  blockComment: ["/*", "*/"],
  quotes: '"',
  longQuotes: [],
  hasCharLiterals: true,
  hasRegexLiterals: false,
  hasBrackets: true,
};
const script: Syntax = { ...c, quotes: "\"'", longQuotes: ["`"], hasCharLiterals: false, hasRegexLiterals: true };
const java: Syntax = { ...c, longQuotes: ['"""'] };
const hash: Syntax = { ...c, lineComment: "#", blockComment: null, quotes: "\"'", hasCharLiterals: false };
const python: Syntax = { ...hash, longQuotes: ['"""', "'''"] };
const dashes: Syntax = { ...hash, lineComment: "--" };
const lisp: Syntax = { ...c, lineComment: ";", blockComment: null, quotes: "", longQuotes: ['"'] };
const css: Syntax = { ...c, lineComment: null, quotes: "\"'", hasCharLiterals: false };
const data: Syntax = { ...c, lineComment: null, blockComment: null, hasCharLiterals: false };
const prose: Syntax = { ...data, quotes: "", hasBrackets: false };

/** By VS Code's language id. */
const syntaxes: Readonly<Record<string, Syntax>> = {
  clojure: lisp,
  coffeescript: hash,
  csharp: c,
  css,
  dart: { ...java, quotes: "\"'", longQuotes: ['"""', "'''"], hasCharLiterals: false },
  dockerfile: hash,
  elixir: python,
  go: { ...c, longQuotes: ["`"] },
  groovy: { ...script, longQuotes: ['"""', "'''"] },
  haskell: { ...c, lineComment: "--", blockComment: ["{-", "-}"] },
  html: prose,
  java,
  javascript: script,
  javascriptreact: script,
  json: data,
  jsonc: c,
  julia: { ...python, hasCharLiterals: true, quotes: '"', longQuotes: ['"""'] },
  kotlin: java,
  latex: prose,
  less: css,
  lisp,
  lua: dashes,
  makefile: hash,
  markdown: prose,
  perl: { ...hash, hasRegexLiterals: true },
  php: { ...c, quotes: "\"'", hasCharLiterals: false },
  plaintext: prose,
  powershell: hash,
  python,
  r: hash,
  restructuredtext: prose,
  ruby: { ...hash, hasRegexLiterals: true },
  scala: java,
  scheme: lisp,
  scss: css,
  shellscript: hash,
  sql: dashes,
  swift: java,
  tex: prose,
  toml: hash,
  typescript: script,
  typescriptreact: script,
  xml: prose,
  yaml: hash,
};

/** Languages not in the table are read like C, the most common shape. */
export function syntaxOf(languageId: string): Syntax {
  return Object.hasOwn(syntaxes, languageId) ? (syntaxes[languageId] as Syntax) : c;
}
