import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ReplayTask, SuiteChoice } from "../../../../src/benchmark/suite.ts";
import { prepareKeystrokes } from "../../../../src/benchmark/suites/keystrokes/keystrokes.ts";
import { parseTrace } from "../../../../src/benchmark/suites/keystrokes/parseTrace.ts";
import { renderTrace } from "../../../../src/benchmark/suites/keystrokes/trace.ts";
import { root } from "../../../support/sources.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";
import { choose } from "../suites/rows.ts";
import { traceOf, typing } from "./traces.ts";

const small = renderTrace(traceOf("a", typing("bc", 1)));

/** A product whose traces have these names, and a folder of the user's own. */
function folders(shipped: Readonly<Record<string, string>>, own: Readonly<Record<string, string>> = {}) {
  const product = temporaryFolder();
  const traces = path.join(product, "media", "benchmark", "traces");
  mkdirSync(traces, { recursive: true });
  for (const [name, text] of Object.entries(shipped)) writeFileSync(path.join(traces, name), text);
  const ownFolder = temporaryFolder();
  for (const [name, text] of Object.entries(own)) writeFileSync(path.join(ownFolder, name), text);
  return { product, ownFolder, none: path.join(ownFolder, "none") };
}

const choice = (change: Partial<SuiteChoice> = {}) => choose("keystrokes", change);

describe("The keystrokes suite", () => {
  it("replays the traces that ship, by name", async () => {
    const { product, none } = folders({ "b.json": small, "a.json": small, "notes.txt": "" });
    const suite = await prepareKeystrokes(choice({ repetitions: 3 }), product, none);
    expect(suite.info).toEqual({
      id: "keystrokes",
      title: "Keystrokes, simulated typing",
      kind: "typing",
      protocol: "keystrokes-1 (simulated typing)",
      dataset: { name: "keystrokes", sha256: expect.stringMatching(/^[0-9a-f]{64}$/), rows: 2, source: "shipped" },
      taskCount: 2,
      promptsSha256: suite.info.dataset?.sha256,
    });
    expect(suite.tasks).toEqual([
      { kind: "replay", id: "a", cluster: "a", trace: small },
      { kind: "replay", id: "b", cluster: "b", trace: small },
    ]);
    expect([suite.score, suite.selfTest, suite.runsCode]).toEqual([null, null, false]);
  });

  it("says when the user's own traces are among them, and when some are left out", async () => {
    const { product, ownFolder } = folders({ "a.json": small }, { "a.json": small, "b.json": small });
    const suite = await prepareKeystrokes(choice(), product, ownFolder);
    expect(suite.tasks.map(({ id }) => id)).toEqual(["a", "own/a", "own/b"]);
    expect(suite.info).toMatchObject({
      protocol: "custom: keystrokes-1 (simulated typing) with 2 recorded here",
      dataset: { rows: 3, source: "shipped and local files" },
    });
    const part = await prepareKeystrokes(choice({ limit: 2 }), product, ownFolder);
    expect(part.info.protocol).toBe("custom: keystrokes-1 (simulated typing) with 2 recorded here, 2 of 3 traces");
  });

  it.each<[Partial<SuiteChoice>, string]>([
    [{ temperature: 0.2 }, "keystrokes: temperature 0.2; typing is replayed with the greedy completions of the editor"],
    [{ repetitions: 0 }, "keystrokes: 0 samples; at least 1 is needed"],
    [{ limit: 0 }, "keystrokes: a limit of 0 tasks; it starts at 1"],
  ])("refuses %j", async (change, message) => {
    const { product, none } = folders({ "a.json": small });
    const prepared = prepareKeystrokes(choice(change), product, none);
    await expect(prepared).rejects.toMatchObject({ code: "request/invalid", message });
  });

  it("says when there is no trace, and which one is damaged", async () => {
    const { product, none } = folders({});
    await expect(prepareKeystrokes(choice(), product, none)).rejects.toMatchObject({
      code: "dataset/unavailable",
      message: expect.stringContaining("there is no typing trace in "),
    });
    const damaged = folders({ "a.json": small }, { "b.json": "{" });
    await expect(prepareKeystrokes(choice(), damaged.product, damaged.ownFolder)).rejects.toMatchObject({
      code: "dataset/invalid",
      message: expect.stringMatching(/b\.json: not JSON/),
    });
  });
});

describe("The traces that ship", async () => {
  const { tasks } = await prepareKeystrokes(choice(), root, path.join(root, "no-such-folder"));

  it("are a few", () => {
    expect(tasks.length).toBeGreaterThanOrEqual(3);
  });

  it.each(tasks as ReplayTask[])(
    "say of $id who typed it, last 20 to 60 seconds, and hold corrections",
    ({ id, trace }) => {
      const { recorded, events } = parseTrace(trace, id);
      expect(recorded).toMatchObject({ by: "program", how: expect.stringContaining("pauses") });
      const lastMs = events.at(-1)?.atMs ?? 0;
      expect(lastMs).toBeGreaterThan(20_000);
      expect(lastMs).toBeLessThan(60_000);
      const deletions = events.filter(({ changes }) => changes.length > 0 && changes.every(({ text }) => text === ""));
      expect(deletions.length).toBeGreaterThan(0);
    },
  );
});
