import { describe, expect, it } from "vitest";
import { cutAtLineBelow } from "../../../../src/completion/postProcess/linesBelow.ts";
import { applyStep } from "../../../support/postProcessing.ts";

describe("cutAtLineBelow", () => {
  it.each([
    ["a closing bracket", "if (x) {\n  █\n}\n", "y();\n}", "y();"],
    ["a closing bracket and what follows it", "if (x) {\n  █\n}\nz();", "y();\n}\n\nfunction f() {", "y();"],
    ["a statement", "a = 1█\nc = 3\n", "\nb = 2\nc = 3\nd = 4", "\nb = 2"],
    ["a line after blank ones", "a = 1█\n\n\nc = 3", "\nb = 2\nc = 3", "\nb = 2"],
    ["a line with blanks at its end", "a = 1█\nc = 3  ", "\nb = 2\nc = 3", "\nb = 2"],
  ])("ends before %s that is there already", (_, code, text, expected) => {
    expect(applyStep(cutAtLineBelow, code, text)).toEqual({ text: expected, replaceAfter: 0 });
  });

  it.each([
    ["its lines are the lines below", "  █\n  return x;\n}", "return x;\n}"],
    ["it is the line below", "  █\n  return x;\n}", "return x;"],
    ["it completes to the line below", "  ret█\n  return x;\n}", "urn x;"],
    ["all it has is the line below", "foo();█\nbar();", "\nbar();"],
  ])("drops the text when %s", (_, code, text) => {
    expect(applyStep(cutAtLineBelow, code, text)).toEqual({ dropped: "repeats-below" });
  });

  it.each([
    ["a bracket at another depth", "if (x) {\n  if (y) {\n    z();\n  █\n}", "}"],
    ["a bracket that ends what was typed", "  0█\n  0,\n", ","],
    ["what is further below", "a = 1█\nb = 2\nc = 3", "\nx = 0\nc = 3"],
    ["a statement that begins like the one below", "█\nadd(\n  2,\n);", "add(\n  1,\n);"],
    ["what does not end its line", "x(█)\nx(ab", "ab"],
    ["the last line of a file", "a = █", "1"],
  ])("keeps %s", (_, code, text) => {
    expect(applyStep(cutAtLineBelow, code, text)).toEqual({ text, replaceAfter: 0 });
  });
});
