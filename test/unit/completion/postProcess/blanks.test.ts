import { describe, expect, it } from "vitest";
import { dropBlank, dropDoubledBlank, trimTrailingBlanks } from "../../../../src/completion/postProcess/blanks.ts";
import { applyStep } from "../../../support/postProcessing.ts";

describe("dropDoubledBlank", () => {
  it.each([
    ["return █", " x", "x"],
    ["x =\t█", "  \t1", "1"],
    ["return█", " x", " x"],
    ["x = █", "\n    1", "\n    1"],
    ["    █", "    x", "    x"],
    ["█", " x", " x"],
    ['say("Name: █")', "  a", "  a"],
  ])("%j and %j give %j", (code, text, expected) => {
    expect(applyStep(dropDoubledBlank, code, text)).toEqual({ text: expected, replaceAfter: 0 });
  });
});

describe("trimTrailingBlanks", () => {
  it.each([
    ["x = █", "1  ", "1"],
    ["x = █\ny", "1;\n\n  ", "1;"],
    ["f() {█\n}", "\n  a();  \n\t\n  b();\t", "\n  a();\n\n  b();"],
    ["f(█)", "a, ", "a, "],
    ["f(█)", "\n  a,  \n", "\n  a,\n"],
    ["█", "  x", "  x"],
  ])("%j and %j give %j", (code, text, expected) => {
    expect(applyStep(trimTrailingBlanks, code, text)).toEqual({ text: expected, replaceAfter: 0 });
  });
});

describe("dropBlank", () => {
  it.each(["", " ", "\n\t\n"])("drops %j", (text) => {
    expect(applyStep(dropBlank, "█", text)).toEqual({ dropped: "blank" });
  });

  it("keeps a text with one character", () => {
    expect(applyStep(dropBlank, "█", ";")).toEqual({ text: ";", replaceAfter: 0 });
  });
});
