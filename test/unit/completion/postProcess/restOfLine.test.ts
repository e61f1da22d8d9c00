import { describe, expect, it } from "vitest";
import { fitRestOfLine } from "../../../../src/completion/postProcess/restOfLine.ts";
import { applyStep } from "../../../support/postProcessing.ts";

describe("fitRestOfLine", () => {
  it.each([
    ["foo(█)", "a)", "a"],
    ["foo(█);", "a);", "a"],
    ["foo(█);", "a)", "a"],
    ["bar(foo(█))", "a))", "a"],
    ["bar(foo(█))", "a)", "a"],
    ["foo(█)", "bar(a))", "bar(a)"],
    ["x = [█]", "1, 2]", "1, 2"],
    ['say("█")', 'hello")', "hello"],
    ['say("█")', 'hello"', "hello"],
    ["say('█')", "it\\'s')", "it\\'s"],
    ["let v: Array<█>", "string>", "string"],
    ["x = █;", "5;", "5"],
    ["foo(█);", "a<b);", "a<b"],
    ["{ █ }", "a: 1 }", "a: 1"],
    ["foo(█bar)", "bar)", ""],
    ["f('😀█')", "😁')", "😁"],
  ])("cuts off what is there: %j and %j give %j", (code, text, expected) => {
    expect(applyStep(fitRestOfLine, code, text)).toEqual({ text: expected, replaceAfter: 0 });
  });

  it.each([
    ["foo(█)", "a) + 1", 1],
    ["foo(█)", "a) + (b)", 1],
    ["foo(█)", '"a", b);', 1],
    ['say("█")', 'hello", name);', 2],
    ["foo(█);", "x).then(y);", 2],
    ["if (█)", "a > b) {\n  c();\n}", 1],
    ["foo(█)", "\n  a,\n)", 1],
    ["for (█;;)", "let i = 0; i < n; i++) {", 3],
    ["{█ }", " a: 1}", 2],
    ["foo(█);", "x) || y", 1],
  ])("replaces what the text goes on after: %j and %j", (code, text, replaceAfter) => {
    expect(applyStep(fitRestOfLine, code, text)).toEqual({ text, replaceAfter });
  });

  it.each([
    ["nothing follows", "foo(█", "a)"],
    ["only blanks follow", "foo(█  \nbar)", "a)"],
    ["the text has none of it", "foo(█)", "a, b"],
    ["the bracket is the text's own", "foo(█)", "bar(a)"],
    ["the angle bracket is the text's own", "let v: Array<█>", "Map<string, number>"],
    ["an arrow is in its angle brackets", "let v: Array<█>", "Map<(a: b) => c>"],
    ["the bracket is in a string", "foo(█)", '":)"'],
    ["the quote is the text's own", 'f(█"x")', '"a"'],
    ["only a comma is shared", "[█, 2]", "1, 3"],
    ["a word would be split", "foo█bar", "lab"],
    ["lines follow before the bracket", "foo(█)", "\n  a,\n"],
  ])("changes nothing when %s", (_, code, text) => {
    expect(applyStep(fitRestOfLine, code, text)).toEqual({ text, replaceAfter: 0 });
  });

  it.each([
    ["python", "print('█')", "it\\'s')", "it\\'s", 0],
    ["c", "char c = f(█);", "')');", "')'", 0],
    ["rust", "fn f(█)", "x: &'a str) -> &'a str {", "x: &'a str) -> &'a str {", 1],
    ["markdown", "see (█)", "there)", "there", 0],
  ])("knows strings of %s", (languageId, code, text, expected, replaceAfter) => {
    expect(applyStep(fitRestOfLine, code, text, { languageId })).toEqual({ text: expected, replaceAfter });
  });
});
