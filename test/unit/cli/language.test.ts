import { describe, expect, it } from "vitest";
import { indentationOf, languageOf } from "../../../src/cli/language.ts";

describe("languageOf", () => {
  it.each([
    ["a/b.py", "python"],
    ["b.TSX", "typescriptreact"],
    ["x.go", "go"],
    ["Makefile", "plaintext"],
  ])("takes %s for %s", (file, language) => {
    expect(languageOf(file)).toBe(language);
  });
});

describe("indentationOf", () => {
  it.each([
    ["def f():\n    if x:\n        y()\n", { insertSpaces: true, tabSize: 4 }],
    ["f(() => {\n  if (x) {\n    y();\n  }\n});\n", { insertSpaces: true, tabSize: 2 }],
    ["func f() {\n\tif x {\n\t\ty()\n", { insertSpaces: false, tabSize: 4 }],
    ["", { insertSpaces: true, tabSize: 4 }],
  ])("reads %j", (text, style) => {
    expect(indentationOf(text)).toEqual(style);
  });
});
