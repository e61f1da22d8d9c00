import { describe, expect, it } from "vitest";
import { GhostText, typedBy } from "../../../../src/benchmark/suites/keystrokes/ghostText.ts";

describe("GhostText", () => {
  it("counts typed characters that are shown, and shows what is left", () => {
    const ghost = new GhostText();
    ghost.show("foo(1)");
    expect(["f", "oo", "(", "2", "1"].map((typed) => ghost.type(typed))).toEqual([1, 2, 1, 0, 0]);
  });

  it("counts nothing once the text is gone", () => {
    const ghost = new GhostText();
    ghost.show("ab");
    ghost.hide();
    expect(ghost.type("a")).toBe(0);
    ghost.show("ab");
    expect([ghost.type(""), ghost.type("a")]).toEqual([0, 0]);
  });
});

describe("typedBy", () => {
  const event = (cursor: number, ...changes: { offset: number; removed: number; text: string }[]) => ({
    atMs: 0,
    reason: null,
    changes,
    cursor,
  });

  it.each([
    ["a key", event(5, { offset: 4, removed: 0, text: "x" }), "x"],
    ["a bracket the editor closes", event(5, { offset: 4, removed: 0, text: "()" }), "("],
    ["a bracket typed over", event(5, { offset: 4, removed: 1, text: ")" }), ")"],
    ["Enter with indentation", event(9, { offset: 4, removed: 0, text: "\n    " }), "\n    "],
    ["Backspace", event(4, { offset: 4, removed: 1, text: "" }), ""],
    ["a move", event(4), ""],
    [
      "Enter that clears the blanks of its line",
      event(5, { offset: 8, removed: 0, text: "\n" }, { offset: 4, removed: 4, text: "" }),
      "\n",
    ],
    ["text put elsewhere", event(40, { offset: 4, removed: 0, text: "x" }), ""],
  ])("gives what %s puts before the cursor", (_, given, typed) => {
    expect(typedBy(given)).toBe(typed);
  });
});
