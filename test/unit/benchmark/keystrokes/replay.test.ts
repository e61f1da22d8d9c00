import { beforeEach, describe, expect, it } from "vitest";
import { createReplay, replayTrace, type TypingFigures } from "../../../../src/benchmark/suites/keystrokes/replay.ts";
import type { Trace } from "../../../../src/benchmark/suites/keystrokes/trace.ts";
import { AppError } from "../../../../src/common/errors.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { FakeClock } from "../../../support/fakeClock.ts";
import { ScriptedEngine } from "../../../support/scriptedEngine.ts";
import { qwen } from "../../editor/models.ts";
import { deletion, traceOf, typing } from "./traces.ts";

/** VS Code's own wait, and Hotpath's while it knows neither the typing nor the model. */
const editorDelayMs = 50;
const delayMs = 50;

let clock: FakeClock;
let engine: ScriptedEngine;
beforeEach(() => {
  clock = new FakeClock();
  engine = new ScriptedEngine();
});

function replay(trace: Trace, signal = new AbortController().signal): Promise<TypingFigures> {
  return replayTrace(trace, { model: qwen, generate: engine.generate, clock }, signal);
}

/** In small steps, so that what waits for a wait comes in time. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) await clock.advance(10);
}

describe("Replaying typing", () => {
  it("asks as the editor would, and measures from the keystroke to the text", async () => {
    const figures = replay(traceOf("a = \n", typing("b", 4)));
    await pass(editorDelayMs + delayMs);
    expect(engine.generations.length).toBe(1);
    expect(engine.last.params).toMatchObject({
      prefix: "a = b",
      suffix: "\n",
      maxTokens: 64,
      maxLines: 1,
      maxPromptTokens: 512,
      temperature: 0,
      timeLimitMs: 10_000,
    });
    await pass(30);
    await engine.last.write("ar");
    await engine.last.finish();
    expect(await figures).toEqual({
      keystrokes: 1,
      latenciesMs: [130],
      shown: 1,
      answered: 1,
      cancelled: 0,
      overlaps: 0,
      sources: { typed: 0, cache: 0, inFlight: 0, engine: 1, none: 0 },
      savedCharacters: 0,
      typedCharacters: 1,
    });
  });

  it("does not ask for a keystroke that the next one follows within the editor's own wait", async () => {
    const figures = replay(traceOf("a = \n", typing("bcd", 4, { intervalMs: 40 })));
    await pass(80 + editorDelayMs + delayMs);
    expect(engine.generations.map(({ params }) => params.prefix)).toEqual(["a = bcd"]);
    await engine.last.finish();
    expect(await figures).toMatchObject({
      keystrokes: 3,
      answered: 1,
      shown: 0,
      latenciesMs: [],
      sources: { none: 3 },
    });
  });

  it("counts what is typed along as saved, and takes no time for it", async () => {
    const figures = replay(traceOf("a = \n", typing("bcd;", 4, { intervalMs: 500 })));
    await pass(editorDelayMs + delayMs);
    await engine.last.write("cde");
    await engine.last.finish();
    await pass(1500);
    await pass(editorDelayMs + delayMs);
    await engine.last.finish();
    expect(await figures).toEqual({
      keystrokes: 4,
      latenciesMs: [100],
      shown: 3,
      answered: 4,
      cancelled: 0,
      overlaps: 0,
      sources: { typed: 2, cache: 0, inFlight: 0, engine: 1, none: 1 },
      savedCharacters: 2,
      typedCharacters: 4,
    });
    expect(engine.generations.length).toBe(2);
  });

  it("adopts a running generation that the typing agrees with", async () => {
    const figures = replay(traceOf("a = \n", typing("bc", 4, { intervalMs: 200 })));
    await pass(150);
    await engine.last.write("c");
    await pass(50 + editorDelayMs + 20);
    await engine.last.write("de");
    await engine.last.finish();
    expect(await figures).toMatchObject({ latenciesMs: [70], cancelled: 0, sources: { inFlight: 1, none: 1 } });
    expect(engine.generations.length).toBe(1);
  });

  it("counts generations that the typing leaves behind", async () => {
    const figures = replay(traceOf("a = \n", typing("bx", 4, { intervalMs: 200 })));
    await pass(150);
    await engine.last.write("c");
    const first = engine.last;
    await pass(50 + editorDelayMs + 100);
    expect(first.signal.aborted).toBe(true);
    await engine.last.finish();
    expect(await figures).toMatchObject({ cancelled: 1, shown: 0 });
  });

  it("counts generations that the engine ran beside others", async () => {
    const beside = async (...call: Parameters<typeof engine.generate>) => ({
      ...(await engine.generate(...call)),
      overlaps: 2,
    });
    const trace = traceOf("a = \n", typing("b", 4));
    const figures = replayTrace(trace, { model: qwen, generate: beside, clock }, new AbortController().signal);
    await pass(editorDelayMs + delayMs);
    await engine.last.finish();
    expect(await figures).toMatchObject({ answered: 1, overlaps: 1 });
  });

  it("takes a suggestion off the screen when the cursor moves, and does not ask where nothing was typed", async () => {
    const move = { atMs: 400, reason: null, changes: [], cursor: 0 } as const;
    const back = { ...move, atMs: 500, cursor: 5 };
    const figures = replay(traceOf("a = \n", [...typing("b", 4), move, back, ...typing("c", 5, { atMs: 600 })]));
    await pass(editorDelayMs + delayMs);
    await engine.last.write("cd");
    await engine.last.finish();
    await pass(800);
    expect(await figures).toMatchObject({ keystrokes: 2, sources: { engine: 1, typed: 1 }, savedCharacters: 0 });
    expect(engine.generations.length).toBe(1);
  });

  it("does not ask after a deletion", async () => {
    const figures = replay(traceOf("a = bc\n", [deletion(5, 0)]));
    await pass(200);
    expect(await figures).toMatchObject({ keystrokes: 1, typedCharacters: 0, sources: { none: 1 } });
    expect(engine.generations).toEqual([]);
  });

  it("fails with what the engine failed with, at once", async () => {
    const figures = replay(traceOf("a = \n", typing("bc", 4, { intervalMs: 60_000 })));
    const failure = expect(figures).rejects.toMatchObject({ code: "engine/exited" });
    await pass(editorDelayMs + delayMs);
    await engine.last.fail(new AppError("engine/exited", "signal SIGKILL"));
    await failure;
    expect(clock.waitCount).toBe(0);
  });

  it("ends what runs when it is cancelled", async () => {
    const controller = new AbortController();
    const figures = replay(traceOf("a = \n", typing("bc", 4, { intervalMs: 60_000 })), controller.signal);
    const failure = expect(figures).rejects.toMatchObject({ code: "request/cancelled" });
    await pass(editorDelayMs + delayMs);
    controller.abort();
    await failure;
    expect([engine.last.signal.aborted, clock.waitCount]).toEqual([true, 0]);
  });

  it("is for model files only", () => {
    const subject = {
      kind: "server",
      id: "s",
      label: "a server",
      api: "openai",
      url: "http://x",
      model: null,
    } as const;
    const task = { kind: "replay", id: "t", cluster: "t", trace: "" } as const;
    expect(() => createReplay({} as Engine)(task, subject, new AbortController().signal)).toThrow(
      "a server is a server subject; typing needs a model file",
    );
  });
});
