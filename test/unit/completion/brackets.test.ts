import { describe, expect, it } from "vitest";
import { reserve, scan } from "../../../src/completion/brackets.ts";
import { syntaxOf } from "../../../src/completion/syntax.ts";

describe("scan", () => {
  it("finds what is left open and what closes something before", () => {
    const { open, unmatched, inside } = scan("a) + f([b, {", syntaxOf("typescript"));
    expect({ open, unmatched, inside }).toEqual({ open: ["(", "[", "{"], unmatched: [1], inside: "" });
  });

  it("knows what is outside of everything the text begins", () => {
    const { isOutside } = scan('a"b"(c)d', syntaxOf("typescript"));
    expect(isOutside.map((outside) => (outside ? "o" : "."))).toEqual([..."o......o"]);
  });

  it.each([
    ["typescript", "x // a", "\n"],
    ["typescript", "x /* a", "*/"],
    ["typescript", "x = `a\nb", "`"],
    ["typescript", 'x = "a', '"'],
    ["typescript", 'x = "a\\"b', '"'],
    ["typescript", 'x = "a"', ""],
    ["python", '"""a\nb', '"""'],
    ["python", "x # it's", "\n"],
    ["rust", "'a", ""],
  ])("says for %s in what %j ends", (languageId, text, inside) => {
    expect(scan(text, syntaxOf(languageId)).inside).toBe(inside);
  });

  it("goes on in the string in which the text before ended", () => {
    const { unmatched, isOutside, inside } = scan(') "(', syntaxOf("typescript"), '"');
    expect({ unmatched, isOutside, inside }).toEqual({
      unmatched: [],
      isOutside: [true, true, true, false],
      inside: "",
    });
  });
});

describe("reserve", () => {
  it("takes the outermost for what closes last", () => {
    expect(reserve(["{", "(", "{"], ["}"])).toEqual(["(", "{"]);
    expect(reserve(["{", "(", "{"], [")", "}"])).toEqual(["{"]);
  });

  it("says so when something has no partner, in this order", () => {
    expect(reserve(["{"], ["}", "}"])).toBeNull();
    expect(reserve(["{", "("], ["}", ")"])).toBeNull();
  });
});
