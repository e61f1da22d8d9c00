import { describe, expect, it } from "vitest";
import type { Place } from "../../../src/completion/place.ts";
import { type Insertion, isSubsequence, remainder } from "../../../src/completion/typedAsSuggested.ts";
import { at } from "../../support/cursor.ts";

function rest(shown: { at: string; text: string; replaceAfter?: number }, now: string): Insertion | null {
  return remainder({ ...at(shown.at), text: shown.text, replaceAfter: shown.replaceAfter ?? 0 }, at(now));
}

describe("remainder", () => {
  const shown = { at: "x = █\ny = 2\n", text: "compute(1)" };

  it("is all of it when nothing was typed", () => {
    expect(rest(shown, "x = █\ny = 2\n")).toEqual({ text: "compute(1)", replaceAfter: 0 });
  });

  it("is what was not typed yet", () => {
    expect(rest(shown, "x = com█\ny = 2\n")).toEqual({ text: "pute(1)", replaceAfter: 0 });
  });

  it("grows again when what was typed is deleted", () => {
    expect(rest(shown, "x = c█\ny = 2\n")).toEqual({ text: "ompute(1)", replaceAfter: 0 });
  });

  it("is nothing when something else was typed", () => {
    expect(rest(shown, "x = con█\ny = 2\n")).toBeNull();
  });

  it("is nothing when it was typed to its end", () => {
    expect(rest(shown, "x = compute(1)█\ny = 2\n")).toBeNull();
  });

  it("is nothing when more than was typed is deleted", () => {
    expect(rest(shown, "x =█\ny = 2\n")).toBeNull();
  });

  it("is nothing when the text after the cursor changed", () => {
    expect(rest(shown, "x = com█\ny = 3\n")).toBeNull();
  });

  it("is nothing when the text before it changed", () => {
    expect(rest(shown, "z = com█\ny = 2\n")).toBeNull();
  });

  it("replaces the bracket the editor closed when its opening one was typed", () => {
    expect(rest(shown, "x = compute(█)\ny = 2\n")).toEqual({ text: "1)", replaceAfter: 1 });
  });

  it("replaces bracket and quote the editor closed", () => {
    expect(rest({ at: "print█", text: '("a", 1);' }, 'print("█")')).toEqual({ text: 'a", 1);', replaceAfter: 2 });
  });

  it("replaces nothing more when the closing bracket was stepped over", () => {
    const suggestion = { at: "f(█)\n", text: "a);", replaceAfter: 1 };
    expect(rest(suggestion, "f(a█)\n")).toEqual({ text: ");", replaceAfter: 1 });
    expect(rest(suggestion, "f(a)█\n")).toEqual({ text: ";", replaceAfter: 0 });
  });

  it("is nothing when a bracket appeared that the suggestion does not have", () => {
    expect(rest({ at: "x = █", text: "(1" }, "x = (█)")).toBeNull();
  });

  it("goes on over lines", () => {
    const block = { at: "def f():█\n", text: "\n    a = 1\n    return a" };
    expect(rest(block, "def f():\n    a = 1\n    re█\n")).toEqual({ text: "turn a", replaceAfter: 0 });
  });

  it("takes characters outside the basic plane", () => {
    expect(rest({ at: 's = "█"', text: "😀😁 naïve" }, 's = "😀😁 na█"')).toEqual({ text: "ïve", replaceAfter: 0 });
  });

  it("follows when the window moved on in the meantime", () => {
    const lines = "some_name = another_name\n".repeat(500);
    expect(rest({ at: `# head\n${lines}x = █`, text: "compute()" }, `${lines}x = com█`)).toEqual({
      text: "pute()",
      replaceAfter: 0,
    });
  });

  it("is nothing when code further up has changed, however far", () => {
    const lines = "some_name = another_name\n".repeat(50);
    expect(rest({ at: `old_name = 1\n${lines}x = █`, text: "old_name" }, `new_name = 1\n${lines}x = █`)).toBeNull();
  });

  it("is nothing in a short file that ends like another", () => {
    expect(rest({ at: "import os\nx = █", text: "os.name" }, "x = █")).toBeNull();
  });
});

/** Types into a document as into an editor that closes brackets and quotes, and steps over those it closed. */
function typeAlong(before: Place, text: string): Place[] {
  const closers: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", '"': '"' };
  const places: Place[] = [];
  let { prefix, suffix } = before;
  const closed: string[] = [];
  for (const character of text) {
    prefix += character;
    if (closed.length > 0 && suffix.startsWith(character)) suffix = suffix.slice(closed.pop()?.length);
    else if (closers[character]) {
      suffix = closers[character] + suffix;
      closed.push(closers[character]);
    }
    places.push({ prefix, suffix });
  }
  return places;
}

describe("remainder with an editor that closes brackets", () => {
  it.each([
    ["print█\nend", '("a", [1, 2]);'],
    ["x = █", "{ a: f(b), c: [d] }"],
    ["█\n", 'foo(bar(baz("q")))'],
    ["f(█)\n", 'a, g("b")[0]'],
  ])("leads to the same document after every character typed at %j", (code, text) => {
    const shown = { ...at(code), text, replaceAfter: 0 };
    const target = shown.prefix + text + shown.suffix;
    const rests = typeAlong(shown, text).map((now) => ({ now, rest: remainder(shown, now) }));
    const documents = rests
      .filter(({ rest }) => rest !== null)
      .map(({ now, rest }) => now.prefix + rest?.text + now.suffix.slice(rest?.replaceAfter));
    expect(documents).toEqual(Array.from({ length: text.length - 1 }, () => target));
  });
});

describe("isSubsequence", () => {
  it("holds when the characters occur in order", () => {
    expect(isSubsequence('")', 'a", b)')).toBe(true);
    expect(isSubsequence("", "")).toBe(true);
  });

  it("fails when one is missing or out of order", () => {
    expect(isSubsequence(")]", "])")).toBe(false);
    expect(isSubsequence("))", ")")).toBe(false);
  });
});
