import { indentWidth, isBlank, lineBefore, opensBlock } from "../lines.ts";
import { type Step, withText } from "./step.ts";

/** Ends the text where the block at the cursor ends: what comes after it was not asked for. */
export const stopAtBlockEnd: Step = (insertion, { prefix, indentation }) => {
  const [first = "", ...rest] = insertion.text.split("\n");
  const line = lineBefore(prefix);
  const base = indentWidth(line + first, indentation.tabSize);
  const isBody = opensBlock(line) && isBlank(first);
  const end = rest.findIndex((next) => !isBlank(next) && leaves(next, base, isBody, indentation.tabSize));
  if (end < 0) return insertion;
  const endsWithCloser = isCloser(rest[end] ?? "") && indentWidth(rest[end] ?? "", indentation.tabSize) === base;
  return withText(insertion, [first, ...rest.slice(0, endsWithCloser ? end + 1 : end)].join("\n"));
};

/** The body of an opened block is deeper than its first line; statements in a block are at least as deep as each other. */
function leaves(line: string, base: number, isBody: boolean, tabSize: number): boolean {
  const width = indentWidth(line, tabSize);
  return isBody ? width <= base : width < base;
}

function isCloser(line: string): boolean {
  return /^\s*(?:[)\]}]|(?:end|fi|done|esac)\b)/.test(line);
}
