import { describe, expect, it } from "vitest";
import { adaptIndentation } from "../../../../src/completion/postProcess/indentation.ts";
import { at } from "../../../support/cursor.ts";
import { applyStep, type Situation } from "../../../support/postProcessing.ts";

const spaces = (tabSize: number): Situation => ({ indentation: { insertSpaces: true, tabSize } });
const tabs: Situation = { indentation: { insertSpaces: false, tabSize: 4 } };

/** The document up to the end of the text. */
function indented(code: string, text: string, situation: Situation): string {
  const result = applyStep(adaptIndentation, code, text, situation);
  return "dropped" in result ? result.dropped : at(code).prefix + result.text;
}

describe("adaptIndentation on the cursor's line", () => {
  it.each([
    ["repeats it", "def f():\n    █", "    return 1", "def f():\n    return 1"],
    ["adds one blank of a token", "def f():\n    a = 1\n    █", " return a", "def f():\n    a = 1\n    return a"],
    ["repeats it and goes on", "def f():\n    █", "    if a:\n        b()", "def f():\n    if a:\n        b()"],
    [
      "was one level too deep as a whole",
      "a = 1\nif a:\n    █",
      "    b()\n        c()",
      "a = 1\nif a:\n    b()\n    c()",
    ],
    ["starts on a line below", "def f():\n    █", "\n    return 1", "def f():\n    return 1"],
    ["adds one blank to an aligned line", "f(a,\n  █", " b)", "f(a,\n  b)"],
  ])("does not double it when the text %s", (_, code, text, expected) => {
    expect(indented(code, text, spaces(4))).toBe(expected);
  });

  it.each([
    ["the line above opens a block at its column", "class A:\n    def f(self):\n    █", "    return 1"],
    ["the line above opens a block and the cursor is at column 0", "def f():\n█", "    return 1"],
    ["the line above has a body without a sign", "  if (x)\n  █", "  return;"],
    ["a list begins", "call(\n  █", "  b"],
    ["a list goes on", "f(a,\n  █", "  b)"],
    ["an entry goes on", "  - a: 1\n  █", "  b: 2"],
    ["the cursor follows code", "x = █", "  1"],
    ["there is nothing to do", "def f():\n    █", "return 1"],
  ])("keeps blanks when %s", (_, code, text) => {
    expect(indented(code, text, spaces(code.includes("    ") ? 4 : 2))).toBe(at(code).prefix + text);
  });

  it("takes away tabs that are there", () => {
    expect(indented("int f() {\n\t█", "\treturn 1;", tabs)).toBe("int f() {\n\treturn 1;");
  });

  it("writes deeper blanks in tabs", () => {
    expect(indented("class A {\n\tint f() {\n\t█", "    return 1;", tabs)).toBe(
      "class A {\n\tint f() {\n\t\treturn 1;",
    );
  });
});

describe("adaptIndentation of further lines", () => {
  it.each([
    ["spaces to tabs", "int f(int x)\n{\n\tif (x) {█", "\n        return 1;\n    }", "\n\t\treturn 1;\n\t}", tabs],
    ["two spaces to tabs", "class A {\n\tint f() {█", "\n    return 1;\n  }", "\n\t\treturn 1;\n\t}", tabs],
    [
      "two spaces to tabs at the top",
      "int f() {█",
      "\n  if (x)\n    return 1;\n}",
      "\n\tif (x)\n\t\treturn 1;\n}",
      tabs,
    ],
    ["tabs to spaces", "if (x) {█", "\n\tif (y) {\n\t\tz();\n\t}\n}", "\n  if (y) {\n    z();\n  }\n}", spaces(2)],
    [
      "four spaces to two",
      "if (x) {█",
      "\n    if (y) {\n        z();\n    }\n}",
      "\n  if (y) {\n    z();\n  }\n}",
      spaces(2),
    ],
    [
      "two spaces to four",
      "def f():█",
      "\n  if x:\n    return 1\n  return 2",
      "\n    if x:\n        return 1\n    return 2",
      spaces(4),
    ],
    ["a body moved as a whole", "  if (x) {█", "\n      y();\n    }", "\n    y();\n  }", spaces(2)],
  ])("changes %s", (_, code, text, expected, situation) => {
    expect(indented(code, text, situation)).toBe(at(code).prefix + expected);
  });

  it.each([
    ["tabs in a file with tabs", "\tif (x) {█", "\n\t\ty();\n\t}", tabs],
    ["alignment after tabs", "\tf(a,█", "\n\t  b);", tabs],
    ["spaces in a file with spaces", "  if (x) {█", "\n    y();\n  }", spaces(2)],
    ["a label and what follows it", "class A {\n public:█", "\n  A();\n  int b;", spaces(2)],
    ["labels one blank deep", "class A {█", "\n public:\n  A();\n  int b;\n};", spaces(4)],
    ["a body with a step of its own", "f() {█", "\n   a(b,\n     c);\n}", spaces(2)],
    ["aligned entries", "usage:█", "\n      -a  all\n      -b  both", spaces(2)],
    [
      "blanks of a file that mixes them",
      "  if (a)\n    {\n\tb();█",
      "\n\tc();\n    }",
      { indentation: { insertSpaces: true, tabSize: 8 } },
    ],
    ["blanks of a file with both on one line", "\tif (a) {\n\t    b();█", "\n  c();\n}", tabs],
    ["the step of the lines below", "def f():█\n\ndef g():\n  return 1\n", "\n  return 2", spaces(4)],
    ["a block comment in a file with tabs", "\ta();█", "\n\t/*\n\t * b\n\t */", tabs],
    ["a block comment at the top of one", "/**█", "\n * a\n */\nf() {\n\tb();", tabs],
    ["arguments aligned to a bracket", "call(a,█", "\n     b,\n     c)", spaces(4)],
    ["the content of blank lines", "def f():█", "\n    a = 1\n  \n    b = 2", spaces(4)],
    ["a text with one line", "x = █", "1", tabs],
    ["no text", "█", "", tabs],
  ])("keeps %s", (_, code, text, situation) => {
    expect(indented(code, text, situation)).toBe(at(code).prefix + text);
  });

  it("goes by the file where the editor's options say something else", () => {
    const code = "def f():\n  if a:\n    return 1\n\ndef g():█";
    expect(indented(code, "\n  if b:\n    return 2", spaces(4))).toBe(`${at(code).prefix}\n  if b:\n    return 2`);
    expect(indented("x = {\n            1: 2,\n}\nclass A:█", "\n    b = 1", spaces(4))).toMatch(/\n {4}b = 1$/);
    const deep = "if a:\n        b\nif c:\n        d\nif e:\n    f\nif g:";
    expect(indented(`${deep}█`, "\n    h", spaces(4))).toBe(`${deep}\n    h`);
    expect(indented("\tint a;\n{█", "\n\tint b;", spaces(4))).toBe("\tint a;\n{\n\tint b;");
  });
});
