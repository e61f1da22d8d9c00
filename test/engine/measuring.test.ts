// What measuring asks of the engine beyond completing: models that stay, an order, texts, numbers.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import type { Priority } from "../../src/protocol/engine.ts";
import type { ModelSpec } from "../../src/protocol/model.ts";
import {
  type EngineSandbox,
  engineSandbox,
  kill,
  longRequest,
  nextState,
  request,
  starter,
} from "../support/engineSandbox.ts";

let sandbox: EngineSandbox;
beforeEach(() => {
  sandbox = engineSandbox();
});
afterEach(() => sandbox.end());

const dense: ModelSpec = { ...starter, mode: "dense" };
const exact: ModelSpec = { ...starter, mode: "exact" };

const readyModes = async (engine: Engine) => {
  const { models } = await engine.diagnostics();
  return models.filter(({ phase }) => phase === "ready").map(({ spec }) => spec.mode);
};

describe("hold", () => {
  it("keeps several modes of one file beside the model of the editor, until they are released", async () => {
    const [editor, runner] = [sandbox.client(), sandbox.client()];
    await editor.load(starter);
    expect(await runner.hold(dense)).toMatchObject({ mode: "dense", spec: dense });
    expect(await runner.hold(exact)).toMatchObject({ mode: "exact" });
    await editor.generate(request(), () => {});
    expect(await readyModes(runner)).toEqual(["auto", "dense", "exact"]);
    await runner.release(dense);
    expect(await readyModes(runner)).toEqual(["auto", "exact"]);
    await runner.release(exact);
    await runner.release(exact);
    expect(await readyModes(runner)).toEqual(["auto"]);
  });

  it("is not outlived by what its holder loaded and completed with", async () => {
    const [editor, runner] = [sandbox.client(), sandbox.client()];
    await editor.load(starter);
    await runner.hold(dense);
    await runner.load(dense);
    await runner.generate(request({ model: dense }), () => {});
    await runner.release(dense);
    expect(await readyModes(runner)).toEqual(["auto"]);
  });

  it("ends with the connection of the client that held", async () => {
    const [editor, runner] = [sandbox.client(), sandbox.client()];
    await Promise.all([runner.hold(dense), editor.hold(exact)]);
    runner.generate(longRequest({ model: dense, priority: "background" }), () => {}).catch(() => undefined);
    runner.dispose();
    await expect.poll(() => readyModes(editor), { timeout: 10_000 }).toEqual(["exact"]);
  });

  it("is not taken up again after the process was lost", async () => {
    const runner = sandbox.client();
    await runner.hold(dense);
    kill(sandbox.engineFile().pid, "SIGKILL");
    await nextState(runner, (state) => state.kind === "failed");
    expect(await readyModes(runner)).toEqual([]);
    await runner.release(dense);
  });

  it("refuses a model that is not there with a code, and holds nothing", async () => {
    const runner = sandbox.client();
    await expect(runner.hold({ ...starter, path: "/nowhere/model.gguf" })).rejects.toMatchObject({
      code: "model/not-found",
    });
    expect(await readyModes(runner)).toEqual([]);
  });
});

describe("background work", () => {
  it("lets a completion go first that came later, and tells how long each waited", async () => {
    const engine = sandbox.client();
    await engine.load(starter);
    const order: string[] = [];
    const start = async (documentId: string, priority: Priority, maxTokens: number) => {
      const options = { documentId, sequenceKey: documentId, priority, maxTokens };
      const answer = await engine.generate(longRequest({ ...options, ignoreEnd: true }), () => {});
      order.push(documentId);
      return answer;
    };
    const [running, waiting, completion] = await Promise.all([
      start("running", "background", 200),
      start("waiting", "background", 8),
      start("completion", "completion", 8),
    ]);
    expect(order).toEqual(["running", "completion", "waiting"]);
    expect(running.queuedMs).toBeLessThan(completion.queuedMs);
    expect(completion.queuedMs).toBeGreaterThan(running.stats.totalMs * 0.8);
    expect(waiting.queuedMs).toBeGreaterThan(completion.queuedMs);
    expect([running, waiting, completion].map(({ overlaps }) => overlaps)).toEqual([0, 0, 0]);
  });

  it("runs beside a completion of another model and counts it", async () => {
    const [editor, runner] = [sandbox.client(), sandbox.client()];
    await Promise.all([editor.load(starter), runner.hold(dense)]);
    let completion: ReturnType<Engine["generate"]> | undefined;
    const background = await runner.generate(
      longRequest({ model: dense, priority: "background", ignoreEnd: true }),
      () => {
        completion ??= editor.generate(request(), () => {});
      },
    );
    expect(background.overlaps).toBe(1);
    expect(await completion).toMatchObject({ text: "self.height = height", overlaps: 1 });
  });

  it("is refused with an unknown priority", async () => {
    const wrong = request({ priority: "urgent" as Priority });
    await expect(sandbox.client().generate(wrong, () => {})).rejects.toMatchObject({
      code: "request/invalid",
      message: "priority is urgent",
    });
  });
});

describe("a prompt that is a text", () => {
  const prefix = "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y";
  const text = request({ form: "text", prefix, suffix: "", maxTokens: 24, maxLines: 0 });

  it("is gone on with, and told in numbers", async () => {
    const engine = sandbox.client();
    const forced = { ...text, ignoreEnd: true, timeTokens: true };
    const answer = await engine.generate(forced, () => {});
    expect(answer).toMatchObject({ stopReason: "tokens", stats: { cutTokens: 0, generatedTokens: 24 } });
    expect(answer.text).toMatch(/^ = \w+\n/);
    const times = answer.stats.tokenTimesMs ?? [];
    expect(times).toHaveLength(24);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThanOrEqual(answer.stats.totalMs);
    const fresh = await engine.generate({ ...forced, freshCache: true }, () => {});
    expect(fresh).toMatchObject({ text: answer.text, stats: { reusedTokens: 0 } });
    expect((await engine.generate(text, () => {})).stats.tokenTimesMs).toBeNull();
  });

  it("is cut at its beginning, which is told, when it is too long", async () => {
    const long = { ...text, prefix: "value = compute(1)\n".repeat(2_000), maxTokens: 4 };
    const { stats } = await sandbox.client().generate(long, () => {});
    expect(stats.promptTokens).toBe(1020);
    expect(stats.cutTokens).toBeGreaterThan(5_000);
  });

  it("is refused when its parameters make no sense", async () => {
    const engine = sandbox.client();
    for (const wrong of [
      { form: "chat" as "text" },
      { topP: 0 },
      { topP: 2 },
      { ignoreEnd: 1 as unknown as boolean },
    ]) {
      await expect(engine.generate({ ...text, ...wrong }, () => {})).rejects.toMatchObject({ code: "request/invalid" });
    }
  });
});

describe("a prompt around a cursor", () => {
  it("is cut far from the cursor when it is too long, which is told", async () => {
    const engine = sandbox.client();
    const line = "value = compute(1)\n";
    const whole = await engine.generate(request({ prefix: line.repeat(20), suffix: line.repeat(20) }), () => {});
    expect(whole.stats.cutTokens).toBe(0);
    const cutTokens = async (prefix: string, suffix: string) =>
      (await engine.generate(request({ prefix, suffix, maxTokens: 4 }), () => {})).stats.cutTokens;
    expect(await cutTokens(line.repeat(2_000), "")).toBeGreaterThan(3_000);
    expect(await cutTokens("", line.repeat(2_000))).toBeGreaterThan(3_000);
  });
});

describe("diagnostics", () => {
  it("tell the engine's own memory apart from mapped files", { skip: process.platform !== "linux" }, async () => {
    const engine = sandbox.client();
    await engine.load(starter);
    const { residentBytes, privateBytes } = await engine.diagnostics();
    expect(privateBytes).toBeGreaterThan(10e6);
    expect(privateBytes).toBeLessThan(residentBytes);
  });
});

describe("describeSynthetic", () => {
  it("tells the numbers of a preset without writing it", async () => {
    const engine = sandbox.client();
    const options = { preset: "70b", type: "q4_k" };
    const whole = await engine.describeSynthetic({ vocabulary: starter.path, options });
    expect(whole).toMatchObject({
      architecture: "llama",
      layerCount: 80,
      embeddingLength: 8192,
      vocabularySize: 32_000,
      parameterCount: 68_976_648_192,
      kvBytesPerToken: 80 * 2 * 8 * 128 * 2,
    });
    expect(Object.keys(whole.bytesByType).sort()).toEqual(["f32", "q4_K", "q6_K"]);
    const part = await engine.describeSynthetic({ vocabulary: starter.path, options: { ...options, layers: "8" } });
    expect(part.layersBytes * 10).toBe(whole.layersBytes);
    expect(whole.bytes - part.bytes).toBeGreaterThan(whole.layersBytes - part.layersBytes);
  });

  it("refuses what cannot be made", async () => {
    const described = sandbox.client().describeSynthetic({ vocabulary: starter.path, options: { preset: "1t" } });
    await expect(described).rejects.toMatchObject({ code: "request/invalid", message: "there is no preset 1t" });
  });
});
