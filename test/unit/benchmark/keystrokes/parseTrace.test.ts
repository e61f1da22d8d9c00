import { describe, expect, it } from "vitest";
import { parseTrace } from "../../../../src/benchmark/suites/keystrokes/parseTrace.ts";
import { applyChanges, renderTrace } from "../../../../src/benchmark/suites/keystrokes/trace.ts";
import { deletion, traceOf, typing } from "./traces.ts";

const trace = traceOf("a = \n", [...typing("bc", 4), deletion(5, 300)]);

/** The rendered trace with one piece of its text replaced. */
const damaged = (from: string | RegExp, to: string) => renderTrace(trace).replace(from, to);

describe("A trace file", () => {
  it("is read as it was written, one event per line", () => {
    const text = renderTrace(trace);
    expect(parseTrace(text, "small.json")).toEqual(trace);
    expect(text.split("\n").slice(0, 2)).toEqual(["{", '  "version": 1,']);
    expect(text).toContain(
      '\n    {"atMs":100,"reason":null,"changes":[{"offset":5,"removed":0,"text":"c"}],"cursor":6},\n',
    );
  });

  it("changes a text from its end to its beginning", () => {
    const changes = [
      { offset: 4, removed: 1, text: "EE" },
      { offset: 0, removed: 2, text: "" },
    ];
    expect(applyChanges("abcdef", changes)).toBe("cdEEf");
  });

  it.each<[string, string | RegExp, string]>([
    ["not JSON: ", "{", ""],
    ["version is 2; this Hotpath reads version 1", '"version": 1', '"version": 2'],
    ['recorded.by is "cat", not one of "person", "program"', '"program"', '"cat"'],
    ['recorded.on is "today", not a text like', "2026-01-31", "today"],
    ["languageId is missing, not a text like", '"languageId"', '"language"'],
    ["indentation.tabSize is 0, not a number from 1 to 100", '"tabSize":4', '"tabSize":0'],
    ["indentation.insertSpaces is 1, not one of true, false", '"insertSpaces":true', '"insertSpaces":1'],
    ["initialText is null, not a text", /"initialText": .*/, '"initialText": null,'],
    ["events is {}, not a list", /"events": .*/s, '"events": {}}'],
    ["events is empty; nothing was typed", /"events": .*/s, '"events": []}'],
    ["events[1].atMs is 120001, not a number from 0 to 120000", '"atMs":100', '"atMs":120001'],
    ["events[2] is at 50 ms, before the one at 100 ms", '"atMs":300', '"atMs":50'],
    ['events[0].reason is "typing", not one of "undo", "redo", null', '"reason":null', '"reason":"typing"'],
    ["events[0].changes[0].offset is 4.5, not a whole number", '"offset":4', '"offset":4.5'],
    ["events[1].changes[0].removed is -1, not a number from 0", '"offset":5,"removed":0', '"offset":5,"removed":-1'],
    ["events[0].changes[0].text is 7, not a text", '"text":"b"', '"text":7'],
    ["events[2] changes 8 to 9, where only 7 characters are left", '"offset":5,"removed":1', '"offset":8,"removed":1'],
    ["events[0] has its cursor at 9 in a text of 6 characters", '"cursor":5}', '"cursor":9}'],
  ])("is refused: %s", (message, from, to) => {
    const text = damaged(from, to);
    expect(text).not.toBe(renderTrace(trace));
    expect(() => parseTrace(text, "small.json")).toThrow(
      expect.objectContaining({ code: "dataset/invalid", message: expect.stringContaining(`small.json: ${message}`) }),
    );
  });

  it("is refused when changes of one event overlap or come from front to back", () => {
    const changes = [
      { offset: 0, removed: 1, text: "" },
      { offset: 2, removed: 1, text: "" },
    ];
    const text = renderTrace(traceOf("abcd", [{ atMs: 0, reason: null, changes, cursor: 0 }]));
    expect(() => parseTrace(text, "small.json")).toThrow("events[0] changes 2 to 3, where only 0 characters are left");
  });
});
