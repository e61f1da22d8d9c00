import { describe, expect, it } from "vitest";
import { summarize } from "../../../src/benchmark/report/summary.ts";
import { viewOf } from "../../../src/panel/summaryView.ts";
import { exampleRecord } from "../../support/benchmarkRecord.ts";

const record = exampleRecord();
const view = viewOf(record, summarize(record), { state: "complete", adviceOn: ({ code }) => `About ${code}.` });

describe("what the panel shows of a run", () => {
  it("has a row for each subject, computed ones marked, their parts left out", () => {
    expect(view.rows.map(({ id, method, isComputed, canBeUsed }) => [id, method, isComputed, canBeUsed])).toEqual([
      ["coder-dense", "dense", false, true],
      ["coder-exact", "hot/cold", false, true],
      ["ollama", "server", false, false],
      ["70b-q4_0", "dense", true, false],
    ]);
  });

  it("holds the figures that were measured and no others", () => {
    const [dense, , server] = view.rows;
    expect(Object.keys(dense?.figures ?? {})).toEqual(
      expect.arrayContaining([
        "parameters",
        "e2e25Ms",
        "tpotMs",
        "decode",
        "fileBytes",
        "keystroke",
        "quality:starter",
      ]),
    );
    expect(dense?.figures["quality:starter"]?.value).toBeCloseTo(0.75);
    expect(dense?.figures["quality:starter"]?.low).toBeLessThan(0.75);
    expect(Object.keys(server?.figures ?? {})).not.toContain("fileBytes");
  });

  it("tells failures first, with what to do, and each warning once", () => {
    expect(view.warnings).toEqual([
      {
        message: "starter: The server answered 500.",
        advice: "About server/failed.",
        subject: "Ollama",
        isFailure: true,
      },
      {
        message: "1 generation ran beside completions.",
        advice: "Pause completions.",
        subject: "Coder 7B, dense",
        isFailure: false,
      },
      {
        message: "It is left out of infill-single: it cannot fill in.",
        advice: "Compare it in the other suites.",
        subject: "Ollama",
        isFailure: false,
      },
    ]);
  });

  it("says what a figure alone does not", () => {
    const notes = view.rows[1]?.notes.join("\n");
    expect(notes).toContain("32 layers on CPU");
    expect(notes).toMatch(/2\.00 times as fast as Coder 7B, dense; the bytes it reads allow 2\.67\./);
  });

  it("stays small however long the run was", () => {
    const long = exampleRecord(1000);
    const large = viewOf(long, summarize(long), { state: "complete", adviceOn: () => "" });
    expect(long.entries.length).toBeGreaterThan(10_000);
    expect(large.sampleCount).toBeGreaterThan(5000);
    expect(JSON.stringify(large).length).toBeLessThan(100_000);
  });
});
