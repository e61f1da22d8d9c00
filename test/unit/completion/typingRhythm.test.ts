import { describe, expect, it } from "vitest";
import { classifyChange, TypingRhythm } from "../../../src/completion/typingRhythm.ts";

describe("classifyChange", () => {
  it.each([
    [null, ["a"], "insert"],
    [null, ["", "a"], "insert"],
    [null, [""], "delete"],
    ["undo", ["a"], "undo"],
    ["redo", [""], "redo"],
  ] as const)("calls a change for reason %s with the texts %j %s", (reason, texts, kind) => {
    const changes = texts.map((text) => ({ text }));
    expect(classifyChange(reason, changes)).toBe(kind);
  });
});

describe("TypingRhythm", () => {
  it("keeps the times between insertions, and of these the last 16", () => {
    const rhythm = new TypingRhythm();
    rhythm.note("insert", 0);
    expect(rhythm.intervalsMs).toEqual([]);
    rhythm.note("insert", 100);
    rhythm.note("delete", 150);
    rhythm.note("insert", 300);
    expect(rhythm.intervalsMs).toEqual([100, 200]);
    for (let count = 1; count <= 20; count++) rhythm.note("insert", 300 + count);
    expect(rhythm.intervalsMs).toEqual(Array.from({ length: 16 }, () => 1));
  });
});
