import { describe, expect, it } from "vitest";
import type { RunRecord } from "../../../src/benchmark/record/entries.ts";
import { summarize } from "../../../src/benchmark/report/summary.ts";
import { figureKind, presentFigures, speedFigures } from "../../../src/panel/runView.ts";
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

  it("holds percentiles of as many samples as they need, and whether a model fits", () => {
    const long = exampleRecord(300);
    const [dense] = viewOf(long, summarize(long), { state: "complete", adviceOn: () => "" }).rows;
    const names = Object.keys(dense?.figures ?? {}).filter((name) => name.startsWith("e2e25Ms:"));
    expect(names).toEqual(["e2e25Ms:p50", "e2e25Ms:p95", "e2e25Ms:p99"]);
    expect(Object.keys(view.rows[0]?.figures ?? {})).not.toContain("e2e25Ms:p95");
    expect(dense?.figures.fitsInVram?.value).toBe(1);
    expect(speedFigures.fitsInVram.format(1)).toBe("yes");
    expect(speedFigures["e2e25Ms:p95"].title).toBe("E2E@25 p95");
  });

  it("writes small speeds and large energies so that they can be read", () => {
    const { decode, joulesPerToken } = speedFigures;
    expect([0.0412, 0.96, 4.25, 81.7].map(decode.format)).toEqual([
      "0.041 tok/s",
      "0.96 tok/s",
      "4.3 tok/s",
      "82 tok/s",
    ]);
    expect([0.0123, 2.5, 325.4].map(joulesPerToken.format)).toEqual(["0.012 J", "2.5 J", "325 J"]);
  });

  it("tells what a subject takes of all GPUs, where it was told and any has a part", () => {
    expect(view.rows.map(({ figures }) => figures.gpuBytes?.value)).toEqual([undefined, 3.2e9, undefined, 44.1e9]);
  });

  it("tells times of the prompts that all were asked, and which those are", () => {
    const isLong = (entry: { readonly type: string }) =>
      entry.type === "output" && "task" in entry && entry.task === "prompt-512";
    const entries = record.entries.filter(
      (entry) => !(isLong(entry) && "subject" in entry && entry.subject === "ollama"),
    );
    const fewer = { ...record, entries };
    const [dense] = viewOf(fewer, summarize(fewer), { state: "complete", adviceOn: () => "" }).rows;
    expect(dense?.figures.ttftMs?.value).toBeCloseTo(400, -1);
    expect(dense?.notes).toContain("Its times are of what all subjects were asked: prompt-64.");
    expect(view.rows[0]?.figures.ttftMs?.value).toBeGreaterThan(900);
    expect(view.rows[0]?.notes).not.toContainEqual(expect.stringContaining("all subjects were asked"));
  });

  it("tells the latency after a rest apart", () => {
    const entries = record.entries.map((entry) =>
      entry.type === "output" && entry.task === "prompt-512" ? { ...entry, task: "idle-512" } : entry,
    );
    const rested = { ...record, entries: entries as unknown as RunRecord["entries"] };
    const [dense] = viewOf(rested, summarize(rested), { state: "complete", adviceOn: () => "" }).rows;
    expect(view.rows[0]?.figures.restE2e25Ms).toBeUndefined();
    expect(dense?.figures.restE2e25Ms?.value).toBeGreaterThan(dense?.figures.e2e25Ms?.value ?? 0);
  });

  it("counts apart what a suite counts apart", () => {
    expect(view.rows[0]?.figures["measure:starter:exact-match"]?.value).toBeGreaterThan(0);
    const title = figureKind("measure:starter:line", view.quality).title;
    expect(title).toBe("Starter set: line");
  });

  it("has a column for the time to a usable line, beside the scores of the suite that asks for lines", () => {
    const present = presentFigures(view.rows, view.quality);
    expect(present).not.toContain("line:starter");
    expect(present.indexOf("line:infill-single")).toBe(present.indexOf("measure:infill-single:exact-match") + 1);
    expect(view.rows[0]?.figures["line:infill-single"]?.value).toBe(1500);
    expect(figureKind("line:infill-single", view.quality)).toMatchObject({
      title: "HumanEval infilling, single line: usable line",
      description: expect.stringContaining("when an editor can show it"),
    });
  });

  it("sets subjects side by side, and names the problems in which they differ", () => {
    expect(view.pairs.map(({ title }) => title)).toEqual(["Quality, pair by pair", "Flips"]);
    const [pairs, flips] = view.pairs;
    expect(pairs?.rows[0]).toEqual(expect.arrayContaining(["Coder 7B, exact", "dense, same file", "1.000"]));
    expect(flips?.rows[0]?.slice(-2)).toEqual(["starter/1", "starter/0"]);
  });

  it("tells failures first, with what to do, and each warning once", () => {
    expect(view.warnings).toEqual([
      {
        message: "Starter set: The server answered 500.",
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
      {
        message: "It would take 44.1 GB on GPUs that have 24.0 GB: its figures are those of more memory.",
        advice: "Measure the shape on the processor alone to learn how fast it is here.",
        subject: "70b, computed from 2 and 6 of 80 layers",
        isFailure: false,
      },
    ]);
  });

  it("says what a figure alone does not", () => {
    const notes = view.rows[1]?.notes.join("\n");
    expect(notes).toContain("32 layers on CPU");
    expect(notes).toMatch(
      /2\.00 times as fast as Coder 7B, dense; reading fewer bytes alone would make it 2\.67 times\./,
    );
  });

  it("stays small however long the run was", () => {
    const long = exampleRecord(1000);
    const large = viewOf(long, summarize(long), { state: "complete", adviceOn: () => "" });
    expect(long.entries.length).toBeGreaterThan(10_000);
    expect(large.sampleCount).toBeGreaterThan(5000);
    expect(JSON.stringify(large).length).toBeLessThan(100_000);
  });
});
