import { describe, expect, it } from "vitest";
import { wrap } from "../../../src/common/wrap.ts";

describe("wrap", () => {
  it.each([
    ["fits", 4, 0, "fits"],
    ["one two three", 7, 0, "one two\nthree"],
    ["one two three", 8, 2, "one two\n  three"],
    ["--out DIR  a folder of its own", 21, 11, "--out DIR  a folder\n           of its own"],
    ["  indented words", 10, 4, "  indented\n    words"],
  ])("breaks %j at %i columns, indented by %i", (line, width, indent, wrapped) => {
    expect(wrap(line, width, indent)).toBe(wrapped);
  });

  it("leaves words whole that are longer than a line, first and later", () => {
    expect(wrap("/a/very/long/path is here", 8, 2)).toBe("/a/very/long/path\n  is\n  here");
    expect(wrap("at /a/very/long/path", 8, 2)).toBe("at\n  /a/very/long/path");
    expect(wrap("label  /a/very/long/path", 12, 7)).toBe("label\n       /a/very/long/path");
  });

  it("loses no word, at any width", () => {
    const words = "a quick  brown fox jumps over the lazy dog".split(/ +/);
    for (let width = 1; width < 50; width++)
      for (const indent of [0, 3, 20]) expect(wrap(words.join(" "), width, indent).split(/\s+/)).toEqual(words);
  });
});
