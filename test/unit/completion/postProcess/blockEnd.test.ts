import { describe, expect, it } from "vitest";
import { stopAtBlockEnd } from "../../../../src/completion/postProcess/blockEnd.ts";
import { applyStep } from "../../../support/postProcessing.ts";

describe("stopAtBlockEnd", () => {
  it.each([
    [
      "the body of a Python function",
      "def f():█",
      "\n    a = 1\n\n    return a\n\ndef g():",
      "\n    a = 1\n\n    return a\n",
    ],
    ["the statements at the cursor", "def f():\n    █", "a = 1\n    return a\n\ndef g():", "a = 1\n    return a\n"],
    ["the closing bracket of a body", "if (x) {█", "\n  y();\n}\nz();", "\n  y();\n}"],
    ["the closing word of a body", "while read x; do█", "\n  echo $x\ndone\necho end", "\n  echo $x\ndone"],
    ["a class in tabs", "class A {\n\tint b;\n\t█", "int c;\n\tint d;\n};\nA a;", "int c;\n\tint d;"],
  ])("ends with %s", (_, code, text, expected) => {
    expect(applyStep(stopAtBlockEnd, code, text)).toEqual({ text: expected, replaceAfter: 0 });
  });

  it.each([
    ["one line", "x = █", "1"],
    ["a list over lines", "x = █", "[\n  1,\n  2,\n]"],
    ["statements at the top level", "█", "import a\nimport b\n\na.f()"],
    ["blank lines", "def f():\n    █", "a = 1\n\n\n    return a"],
    ["else", "if (x) {\n  █\n}", "if (y) {\n    a();\n  } else {\n    b();\n  }"],
  ])("keeps %s", (_, code, text) => {
    expect(applyStep(stopAtBlockEnd, code, text)).toEqual({ text, replaceAfter: 0 });
  });
});
