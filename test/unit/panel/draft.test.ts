import { describe, expect, it } from "vitest";
import { formatDuration } from "../../../src/common/formatDuration.ts";
import { countIn, firstDraft, problemOf, runsCode } from "../../../src/panel/draft.ts";
import { formatEstimateTime, progressText } from "../../../src/panel/phrases.ts";
import type { RunDraft, StartChoices } from "../../../src/panel/protocol.ts";
import { madeUpChoices } from "../../support/panelViews.ts";

const first = firstDraft(madeUpChoices);
const problem = (change: Partial<RunDraft>, choices: StartChoices = madeUpChoices) =>
  problemOf({ ...first, ...change }, choices);

describe("the form for a run", () => {
  it("starts with the model in use and what needs nothing else", () => {
    expect(first).toMatchObject({ models: ["/models/starter.gguf"], suites: ["latency"], consent: "none" });
    expect(problem({})).toBeNull();
  });

  it.each<[Partial<RunDraft>, string]>([
    [{ models: [] }, "Choose a model, a server or a size."],
    [{ modes: [] }, "Choose a mode."],
    [{ suites: [] }, "Choose a suite."],
    [{ shapes: ["7b"] }, "Sizes need the size sweep; the other suites want models that were trained."],
    [{ suites: ["sizes"] }, "The size sweep is for sizes; choose another suite for models and servers."],
    [{ suites: ["starter"] }, "Allow running code, or leave out the suites that do."],
  ])("says what is missing: %o", (change, expected) => {
    expect(problem(change)).toBe(expected);
  });

  it("lets a server run without a mode, and sizes without a model", () => {
    const server = { api: "ollama", url: "http://127.0.0.1:11434", model: "coder" } as const;
    expect(problem({ models: [], modes: [], servers: [server] })).toBeNull();
    expect(problem({ models: [], shapes: ["7b"], suites: ["sizes"] })).toBeNull();
  });

  it("asks for a consent of its own where isolation is reduced", () => {
    const reduced = { ...madeUpChoices, code: { ...madeUpChoices.code, level: "reduced" as const } };
    expect(problem({ suites: ["starter"], consent: "full" })).toBeNull();
    expect(problem({ suites: ["starter"], consent: "full" }, reduced)).toMatch(/^Allow running code/);
    expect(problem({ suites: ["starter"], consent: "reduced" }, reduced)).toBeNull();
    expect(runsCode({ ...first, suites: ["latency"] }, madeUpChoices.suites)).toBe(false);
  });
});

describe("a number in the form", () => {
  it.each<[string, number | undefined]>([
    ["1", 1],
    [" 20 ", 20],
    ["0", undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
    ["ten", undefined],
    ["", undefined],
    ["99999999999999999999", undefined],
  ])("%o counts %o", (text, count) => {
    expect(countIn(text)).toBe(count);
  });
});

describe("times of the panel", () => {
  it("are as exact as they can be believed", () => {
    const texts = [400, 40_000, 300_000, 4_800_000, 7_200_000].map(formatDuration);
    expect(texts).toEqual(["1 s", "40 s", "5 min", "80 min", "2 h"]);
    expect(formatEstimateTime({ leastMs: 120_000, mostMs: 700_000, problem: null })).toBe("Roughly 2 min to 12 min.");
  });

  it("say how far a run is, and that it is paused", () => {
    const run = { runId: "x", phase: "measuring", what: "", done: 12, total: 40, completions: "ahead" } as const;
    expect(progressText({ ...run, remainingMs: 180_000, isPaused: false })).toBe("12 of 40, about 3 min left");
    expect(progressText({ ...run, remainingMs: null, isPaused: false })).toBe("12 of 40");
    expect(progressText({ ...run, remainingMs: 180_000, isPaused: true })).toBe("12 of 40, paused");
  });
});
