import { describe, expect, it } from "vitest";
import { cutLoops, dropRepeatedAbove } from "../../../../src/completion/postProcess/repetition.ts";
import { applyStep } from "../../../support/postProcessing.ts";

describe("cutLoops", () => {
  it.each([
    ["a line three times", "foo();\nfoo();\nfoo();", "foo();"],
    ["a line with more after it", "bar();\nfoo();\nfoo();\nfoo();\nbaz();", "bar();\nfoo();"],
    ["two lines twice", "a = next()\nuse(a)\na = next()\nuse(a)\nb = 1", "a = next()\nuse(a)"],
    ["words in a line", "x.append(x.append(x.append(x.append(", "x.append("],
    ["words of other scripts", "да да да да да да ", "да "],
  ])("keeps the first round of %s", (_, text, expected) => {
    expect(applyStep(cutLoops, "█", text)).toEqual({ text: expected, replaceAfter: 0 });
  });

  it("sees the first line with the blanks before the cursor", () => {
    expect(applyStep(cutLoops, "  █", "foo();\n  foo();\n  foo();")).toEqual({ text: "foo();", replaceAfter: 0 });
  });

  it.each([
    ["a line twice", "foo();\nfoo();"],
    ["numbers", "0, 0, 0, 0, 0, 0"],
    ["a number in groups", "x < 0xff_ff_ff_ff"],
    ["a ruler", "// ==================="],
    ["closing brackets", "      }\n    }\n  }\n}"],
    ["equal brackets", "}\n}\n}\n}"],
    ["blank lines", "a\n\n\n\n\nb"],
    ["nothing", ""],
  ])("keeps %s", (_, text) => {
    expect(applyStep(cutLoops, "█", text)).toEqual({ text, replaceAfter: 0 });
  });
});

describe("dropRepeatedAbove", () => {
  it.each([
    ["the line above", "  foo(1);\n  █", "foo(1);"],
    ["the line above after a blank one", "foo(1);\n\n█", "foo(1);  "],
    ["the line above, begun by hand", "return a + b\nret█", "urn a + b"],
    ["two lines above", "one = 1\ntwo = 2\n█", "one = 1\ntwo = 2\nthree = 3"],
    ["the lines above over the end of the line", "one = 1\nfoo()█", "\none = 1\nfoo()"],
    ["the cursor's line over its end", "foo()█", "\nfoo()"],
  ])("drops %s", (_, code, text) => {
    expect(applyStep(dropRepeatedAbove, code, text)).toEqual({ dropped: "repeats-above" });
  });

  it.each([
    ["another line", "foo(1);\n█", "foo(2);"],
    ["the same at another depth", "if a:\n    return x\n█", "return x"],
    ["numbers", "  0,\n  █", "0,"],
    ["a bracket", "  }\n  █", "}"],
    ["a line further up", "a = 1\nb = 2\n█", "a = 1"],
    ["the first line of a file", "█", "a = 1"],
  ])("keeps %s", (_, code, text) => {
    expect(applyStep(dropRepeatedAbove, code, text)).toEqual({ text, replaceAfter: 0 });
  });
});
