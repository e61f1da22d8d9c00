import { describe, expect, it } from "vitest";
import type { TextSource } from "../../../src/completion/documentWindow.ts";
import { overlaid } from "../../../src/editor/overlaidText.ts";

const text = "console.lo;\nend";
const source: TextSource = { length: text.length, slice: (start, end) => text.slice(start, end) };

describe("overlaid", () => {
  it.each([
    [8, 10, "log", "console.log;\nend"],
    [8, 10, "", "console.;\nend"],
    [0, 0, "x.", "x.console.lo;\nend"],
    [text.length, text.length, "!", "console.lo;\nend!"],
  ])("reads like the changed text when %i to %i becomes %j, in every piece", (start, end, inserted, expected) => {
    const changed = overlaid(source, start, end, inserted);
    expect(changed.length).toBe(expected.length);
    for (let from = 0; from <= expected.length; from++) {
      for (let to = from; to <= expected.length; to++) expect(changed.slice(from, to)).toBe(expected.slice(from, to));
    }
  });
});
