import { describe, expect, it } from "vitest";
import { cutWindow } from "../../../src/completion/documentWindow.ts";
import { at } from "../../support/cursor.ts";

const limits = { prefix: 80, suffix: 40 };

function numberedLines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${String(index).padStart(3, "0")}\n`).join("");
}

function cut(code: string) {
  const { prefix, suffix } = at(code);
  return cutWindow(prefix + suffix, prefix.length, limits);
}

describe("cutWindow", () => {
  it("takes a short document whole", () => {
    expect(cut("a = 1\nb█ = 2\n")).toEqual({ prefix: "a = 1\nb", suffix: " = 2\n" });
  });

  it("takes an empty document", () => {
    expect(cut("█")).toEqual({ prefix: "", suffix: "" });
  });

  it("begins and ends at whole lines of a long document", () => {
    const { prefix, suffix } = cut(`${numberedLines(30)}x = █;\n${numberedLines(30)}`);
    expect(prefix).toMatch(/^line \d\d\d\n/);
    expect(suffix).toBe(";\nline 000\nline 001\nline 002\nline 003\n");
  });

  it("keeps its beginning while one types", () => {
    const starts = new Set<number>();
    let moves = 0;
    let last = -1;
    for (let typed = 0; typed < 40; typed++) {
      const text = numberedLines(30) + "x".repeat(typed);
      const start = text.length - cutWindow(text, text.length, limits).prefix.length;
      if (start !== last) moves++;
      last = start;
      starts.add(start);
    }
    expect(starts.size).toBeLessThanOrEqual(5);
    expect(moves).toBe(starts.size);
  });

  it("keeps its end while one types", () => {
    const before = cut(`${numberedLines(20)}█\n${numberedLines(20)}`);
    const after = cut(`${numberedLines(20)}typed█\n${numberedLines(20)}`);
    expect(after.suffix).toBe(before.suffix);
  });

  it("stays within its limits and not far below them", () => {
    const text = numberedLines(100);
    for (let cursor = 100; cursor < 800; cursor += 7) {
      const { prefix, suffix } = cutWindow(text, cursor, limits);
      expect(prefix.length).toBeLessThanOrEqual(limits.prefix);
      expect(prefix.length).toBeGreaterThanOrEqual(limits.prefix - 20);
      expect(suffix.length).toBeLessThanOrEqual(limits.suffix);
      expect(text.slice(cursor - prefix.length, cursor + suffix.length)).toBe(prefix + suffix);
    }
  });

  it("keeps the text before a new line end when the line is longer than the window", () => {
    const { prefix } = cut(`${"x".repeat(500)}\n█`);
    expect(prefix.length).toBeGreaterThan(60);
    expect(prefix.endsWith("x\n")).toBe(true);
  });

  it("does not split a character", () => {
    const text = "😀".repeat(200);
    for (let cursor = 180; cursor < 220; cursor += 2) {
      const { prefix, suffix } = cutWindow(text, cursor, limits);
      expect(() => encodeURIComponent(prefix)).not.toThrow();
      expect(() => encodeURIComponent(suffix)).not.toThrow();
    }
    const odd = cutWindow(text, 110, { prefix: 72, suffix: 41 });
    expect(() => encodeURIComponent(odd.prefix + odd.suffix)).not.toThrow();
  });

  it("makes line feeds of all line ends", () => {
    expect(cut("a\r\nb█\r\nc\rd")).toEqual({ prefix: "a\nb", suffix: "\nc\nd" });
  });
});
