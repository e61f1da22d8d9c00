import { describe, expect, it } from "vitest";
import { parseTrace } from "../../../../src/benchmark/suites/keystrokes/parseTrace.ts";
import { TraceRecorder } from "../../../../src/benchmark/suites/keystrokes/recorder.ts";
import { renderTrace, type TraceChange } from "../../../../src/benchmark/suites/keystrokes/trace.ts";
import { traceOf } from "./traces.ts";

const { recorded, languageId, indentation } = traceOf("", []);

const recording = (initialText: string) => new TraceRecorder({ languageId, indentation, initialText }, 5000);
const insert = (offset: number, text: string): TraceChange => ({ offset, removed: 0, text });
const finish = (recorder: TraceRecorder) => recorder.finish(recorded);

describe("TraceRecorder", () => {
  it("gives a trace that reads back, with times since the first event", () => {
    const recorder = recording("x\n");
    recorder.change([insert(1, " ")], null, 7000.2);
    recorder.change([insert(2, "=")], null, 7120.9);
    expect(recorder.keystrokes).toBe(2);
    const trace = finish(recorder);
    expect(trace).toEqual(
      traceOf("x\n", [
        { atMs: 0, reason: null, changes: [insert(1, " ")], cursor: 2 },
        { atMs: 121, reason: null, changes: [insert(2, "=")], cursor: 3 },
      ]),
    );
    expect(parseTrace(renderTrace(trace), "small.json")).toEqual(trace);
  });

  it("takes the cursor that is told right after a change for where the change left it", () => {
    const recorder = recording("f");
    recorder.change([insert(1, "()")], null, 6000);
    recorder.moveCursor(2, 6004);
    recorder.change([{ offset: 2, removed: 1, text: ")" }], null, 6200);
    recorder.moveCursor(3, 6203);
    expect(finish(recorder).events.map(({ cursor, changes }) => [cursor, changes.length])).toEqual([
      [2, 1],
      [3, 1],
    ]);
  });

  it("keeps a move of the cursor as an event of its own, but for one to where it is", () => {
    const recorder = recording("abc");
    recorder.change([insert(3, "d")], null, 6000);
    recorder.moveCursor(4, 6002);
    recorder.moveCursor(1, 6400);
    recorder.moveCursor(1, 6500);
    recorder.change([{ offset: 0, removed: 1, text: "" }], null, 7000);
    recorder.moveCursor(3, 7100);
    expect(finish(recorder).events).toEqual([
      { atMs: 0, reason: null, changes: [insert(3, "d")], cursor: 4 },
      { atMs: 400, reason: null, changes: [], cursor: 1 },
      { atMs: 1000, reason: null, changes: [{ offset: 0, removed: 1, text: "" }], cursor: 0 },
      { atMs: 1100, reason: null, changes: [], cursor: 3 },
    ]);
  });

  it("orders several changes from the end, and supposes the cursor behind the last", () => {
    const recorder = recording("  \n\n");
    recorder.change([{ offset: 0, removed: 2, text: "" }, insert(2, "\n")], "redo", 6000);
    expect(finish(recorder).events).toEqual([
      { atMs: 0, reason: "redo", changes: [insert(2, "\n"), { offset: 0, removed: 2, text: "" }], cursor: 1 },
    ]);
  });

  it("ends after two minutes", () => {
    const recorder = recording("");
    recorder.change([insert(0, "a")], null, 6000);
    expect(recorder.isOver(125_000)).toBe(false);
    expect(recorder.isOver(125_001)).toBe(true);
    recorder.change([insert(1, "b")], null, 125_001);
    recorder.moveCursor(0, 125_002);
    expect(finish(recorder).events.length).toBe(1);
  });
});
