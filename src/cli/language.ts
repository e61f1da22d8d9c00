// What an editor knows about a file and a terminal has to guess.
import path from "node:path";
import type { IndentationStyle } from "../completion/postProcess/step.ts";

/** VS Code's language ids where they differ from the file's extension. */
const languages: Readonly<Record<string, string>> = {
  bash: "shellscript",
  cc: "cpp",
  cs: "csharp",
  cxx: "cpp",
  h: "cpp",
  hpp: "cpp",
  hs: "haskell",
  js: "javascript",
  jsx: "javascriptreact",
  kt: "kotlin",
  md: "markdown",
  mjs: "javascript",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "shellscript",
  ts: "typescript",
  tsx: "typescriptreact",
  yml: "yaml",
};

export function languageOf(file: string): string {
  const extension = path.extname(file).slice(1).toLowerCase();
  return languages[extension] ?? (extension || "plaintext");
}

const commonSizes = [2, 4, 8];

/** Tabs when more lines begin with one; otherwise the most frequent step by which the indentation grows. */
export function indentationOf(text: string): IndentationStyle {
  const indents = [...text.matchAll(/^([ \t]*)\S/gm)].map((match) => match[1] ?? "");
  const tabs = indents.filter((indent) => indent.startsWith("\t")).length;
  const spaces = indents.filter((indent) => indent.startsWith(" ")).length;
  if (tabs > spaces) return { insertSpaces: false, tabSize: 4 };
  const steps = indents.map((indent, index) => indent.length - (indents[index - 1]?.length ?? 0));
  const count = (size: number) => steps.filter((step) => step === size).length;
  const [best = 4] = [...commonSizes].sort((a, b) => count(b) - count(a));
  return { insertSpaces: true, tabSize: count(best) > 0 ? best : 4 };
}
