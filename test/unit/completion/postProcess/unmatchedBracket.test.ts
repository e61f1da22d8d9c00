import { describe, expect, it } from "vitest";
import { cutAtUnmatchedBracket } from "../../../../src/completion/postProcess/unmatchedBracket.ts";
import { applyStep } from "../../../support/postProcessing.ts";

describe("cutAtUnmatchedBracket", () => {
  it.each([
    ["nothing is open", "x = █", "a)", "a"],
    ["another kind is open", "x = [█", "a)", "a"],
    ["it is closed after the cursor", "f(█)\n", "a))", "a"],
    ["it is closed below", "if (x) {\n  if (y) {\n    █\n  }\n}\n", "z();\n  }\n}", "z();"],
    ["the bracket before the cursor is in a string", 's = "(" + █', "a)", "a"],
    ["the bracket before the cursor is in a comment", "// (\nx = █", "a)", "a"],
    ["a quote stands alone further up", "<b>it's</b>\nx = █", "a)", "a"],
    ["the bracket before the cursor is closed", "f(a);\nx = █", "b)", "b"],
  ])("cuts when %s", (_, code, text, expected) => {
    expect(applyStep(cutAtUnmatchedBracket, code, text)).toEqual({ text: expected, replaceAfter: 0 });
  });

  it.each([
    ["it closes what is open", "foo(█", "a, b);"],
    ["it closes what is open further up", "foo(\n  a,\n  █", "b,\n);"],
    ["it closes one more than is closed below", "if (x) {\n  if (y) {\n    z();\n  █\n}", "}"],
    ["the code below closes what is further out", "function f() {\n  g({ a: █\n}\n", "1 });"],
    ["what it opens is closed below", "function f() {\n  try {\n    a();\n  █\n    b();\n  }\n}\n", "} catch {"],
    ["the window begins inside a block", "    if (x) {\n      y();\n    █\n    z();\n  }\n}\n", "}"],
    ["a comparison is before it", "f(a<b, █", "c)"],
    ["it has its own partner", "x = █", "(a + [b])"],
    ["it is in a string", "x = █", '":)"'],
    ["it is in a regular comment", "█", "// 1) first\nx"],
    ["the cursor is in a comment", "// █", "1) first"],
    ["the cursor is in a string", '"█"', "1) first"],
    ["brackets are left open", "if (x) █", "{"],
  ])("keeps the text when %s", (_, code, text) => {
    expect(applyStep(cutAtUnmatchedBracket, code, text)).toEqual({ text, replaceAfter: 0 });
  });

  it.each([
    ["markdown", "- █", "1) first"],
    ["python", '"""\nsee (\n"""\nx = (█', "1)"],
    ["python", "def f():\n    '''Don't (stop'''\n    return g(█", "1)"],
    ["python", '"""\n█\n"""', "a) first"],
    ["rust", "fn f<'a>(x: &'a str, y: █", "&'a str) -> &'a str {"],
    ["c", "char c = '('; f(█", "')');"],
    ["shellscript", "x=$(█", "ls)"],
    ["typescript", "const r = /[)\\]]/;\nf(█", "a / b / c)"],
    ["typescript", "x = █", "a / (b / c)"],
    ["typescript", "f(g([█\n", "/[(]/, 1]))"],
    ["typescript", "f(() => {\n  g({ a: █\n  return /[)}]/;\n});\n", "1 });"],
    ["go", "s := `(`; f(█", "a)"],
    ["an unknown language", "f(█", "a)"],
  ])("reads %s", (languageId, code, text) => {
    expect(applyStep(cutAtUnmatchedBracket, code, text, { languageId })).toEqual({ text, replaceAfter: 0 });
  });

  it("no longer replaces what was cut off", () => {
    const context = { prefix: "f(", suffix: ")", languageId: "c", stopReason: "end" } as const;
    const step = cutAtUnmatchedBracket(
      { text: "a] + b) + c", replaceAfter: 1 },
      { ...context, indentation: { insertSpaces: true, tabSize: 2 } },
    );
    expect(step).toEqual({ text: "a", replaceAfter: 0 });
  });
});
