import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replayTask } from "../../src/benchmark/suites/keystrokes/replay.ts";
import { renderTrace } from "../../src/benchmark/suites/keystrokes/trace.ts";
import { type EngineSandbox, engineSandbox, starter } from "../support/engineSandbox.ts";
import { traceOf, typing } from "../unit/benchmark/keystrokes/traces.ts";

let sandbox: EngineSandbox;
beforeEach(() => {
  sandbox = engineSandbox();
});
afterEach(() => sandbox.end());

const before = "class Rectangle:\n    def __init__(self, width, height):\n        self.width = width\n        ";
const after = "\n\n    def area(self):\n        return self.width * self.height\n";

describe("replayed typing", () => {
  it("takes the time that was recorded and is completed by the starter model", async () => {
    const keys = "self.height = height";
    const trace = traceOf(before + after, typing(keys, before.length, { intervalMs: 150 }));
    const task = { kind: "replay", id: "three-seconds", cluster: "three-seconds", trace: renderTrace(trace) } as const;
    const started = performance.now();
    const figures = await replayTask(sandbox.client(), starter, task, new AbortController().signal);
    expect(performance.now() - started).toBeGreaterThan((keys.length - 1) * 150);
    expect(figures).toMatchObject({ keystrokes: keys.length, typedCharacters: keys.length });
    expect(figures.shown).toBeGreaterThan(keys.length / 2);
    expect(figures.savedCharacters).toBeGreaterThan(keys.length / 4);
    expect(figures.latenciesMs.length).toBe(Number(figures.sources.engine) + Number(figures.sources.inFlight));
    // VS Code alone waits 50 ms.
    for (const latencyMs of figures.latenciesMs) expect(latencyMs).toBeGreaterThan(49);
    expect(Object.values(figures.sources).reduce((sum, count) => sum + count)).toBe(keys.length);
  });
});
