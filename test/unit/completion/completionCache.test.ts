import { describe, expect, it } from "vitest";
import { CompletionCache } from "../../../src/completion/completionCache.ts";
import { at } from "../../support/cursor.ts";

const model = "model";

function cacheOf(...entries: readonly (readonly [code: string, text: string])[]) {
  const cache = new CompletionCache<"blank">();
  for (const [code, text] of entries) cache.put(model, { ...at(code), text, replaceAfter: 0 }, null);
  return cache;
}

const hit = (text: string, replaceAfter = 0) => ({ insertion: { text, replaceAfter }, dropped: null });

describe("CompletionCache", () => {
  it("finds a completion at its place", () => {
    expect(cacheOf(["a = █\n", "b + c"]).find(model, at("a = █\n"))).toEqual(hit("b + c"));
  });

  it("finds the rest when its beginning was typed", () => {
    expect(cacheOf(["a = █\n", "b + c"]).find(model, at("a = b +█\n"))).toEqual(hit(" c"));
  });

  it("finds it again when what was typed is deleted", () => {
    const cache = cacheOf(["a = █\n", "b + c"]);
    expect(cache.find(model, at("a = b█\n"))).toEqual(hit(" + c"));
    expect(cache.find(model, at("a = █\n"))).toEqual(hit("b + c"));
  });

  it("prefers the completion made nearest to the cursor", () => {
    expect(cacheOf(["a = █", "b + c"], ["a = b█", " - d"]).find(model, at("a = b█"))).toEqual(hit(" - d"));
  });

  it("passes over a nearer completion that went another way", () => {
    expect(cacheOf(["a = █", "bcd"], ["a = b█", "xy"]).find(model, at("a = bc█"))).toEqual(hit("d"));
  });

  it.each([
    ["the suffix differs on the line", "a = █;\n"],
    ["the suffix differs below", "a = █\nb\n"],
    ["the prefix differs", "z = █\n"],
    ["the start of the document differs", "\na = █\n"],
    ["something else was typed", "a = x█\n"],
  ])("finds nothing when %s", (_, code) => {
    expect(cacheOf(["a = █\n", "b + c"]).find(model, at(code))).toBeNull();
  });

  it("finds nothing of another model or other limits", () => {
    expect(cacheOf(["a = █", "b"]).find("another", at("a = █"))).toBeNull();
  });

  it("finds it with the bracket the editor closed meanwhile", () => {
    expect(cacheOf(["print█\n", "(a, b)"]).find(model, at("print(█)\n"))).toEqual(hit("a, b)", 1));
  });

  it("remembers that a place got nothing, and only that place", () => {
    const cache = new CompletionCache<"blank">();
    cache.put(model, { ...at("a█"), text: "", replaceAfter: 0 }, "blank");
    expect(cache.find(model, at("a█"))).toEqual({ insertion: null, dropped: "blank" });
    expect(cache.find(model, at("ab█"))).toBeNull();
    expect(cache.find(model, at("a█)"))).toBeNull();
  });

  it("keeps the newest completion of a place", () => {
    expect(cacheOf(["a█", "b"], ["a█", "c"]).find(model, at("a█"))).toEqual(hit("c"));
  });

  it("forgets the least recently used when it is full", () => {
    const cache = new CompletionCache<"blank">(2);
    const put = (code: string) => cache.put(model, { ...at(code), text: "text", replaceAfter: 0 }, null);
    put("one█");
    put("two█");
    cache.find(model, at("one█"));
    put("three█");
    expect(cache.size).toBe(2);
    expect(cache.find(model, at("one█"))).toEqual(hit("text"));
    expect(cache.find(model, at("two█"))).toBeNull();
    expect(cache.find(model, at("three█"))).toEqual(hit("text"));
  });

  it("forgets everything when cleared", () => {
    const cache = cacheOf(["a█", "b"]);
    cache.clear();
    expect(cache.find(model, at("a█"))).toBeNull();
  });
});
