import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ModelSpec, specKey } from "../../src/protocol/model.ts";
import { type EngineSandbox, engineSandbox, longRequest, request, starter } from "../support/engineSandbox.ts";

let sandbox: EngineSandbox;
beforeEach(() => {
  sandbox = engineSandbox();
});
afterEach(() => sandbox.end());

/** By itself the starter model is so small that it runs dense. */
const exact: ModelSpec = { ...starter, mode: "exact" };

describe("generate", () => {
  it("streams the text it returns, with the numbers of the request", async () => {
    const engine = sandbox.client();
    const pieces: string[] = [];
    const answer = await engine.generate({ ...request(), model: exact }, (text) => pieces.push(text));
    expect(answer.text).toBe("self.height = height");
    expect(pieces.join("")).toBe(answer.text);
    expect(pieces.length).toBeGreaterThan(1);
    expect(answer).toMatchObject({
      stopReason: "lines",
      model: { architecture: "arcee", layerCount: 4, mode: "exact" },
    });
    expect(answer.model.devices).toEqual([expect.objectContaining({ kind: "cpu", layers: 4 })]);
    const { stats } = answer;
    expect(stats.promptTokens).toBeGreaterThan(30);
    expect(stats.generatedTokens).toBeGreaterThan(2);
    expect(stats.ttftMs).toBeGreaterThan(0);
    expect(stats.totalMs).toBeGreaterThanOrEqual(stats.ttftMs);
    expect(stats.prefillTokensPerSecond).toBeGreaterThan(0);
    expect(stats.decodeTokensPerSecond).toBeGreaterThan(0);
    expect(stats.sparsity?.activeShare).toBeCloseTo(0.28, 1);
    expect(stats.sparsity?.bytesPerToken).toBeLessThan(stats.sparsity?.denseBytesPerToken ?? 0);
  });

  it("gives the same text dense as exact, and refuses a mode the model cannot run in", async () => {
    const engine = sandbox.client();
    const dense = await engine.generate({ ...request(), model: { ...starter, mode: "dense" } }, () => {});
    expect(dense).toMatchObject({ text: "self.height = height", model: { mode: "dense" }, stats: { sparsity: null } });
    const predicted = engine.generate({ ...request(), model: { ...starter, mode: "predicted" } }, () => {});
    await expect(predicted).rejects.toMatchObject({
      code: "request/invalid",
      message: "mode predicted is not possible: the model brings no predictors",
    });
  });

  it("gives the same text again from the cache of its prompt", async () => {
    const engine = sandbox.client();
    const first = await engine.generate(request(), () => {});
    const again = await engine.generate(request(), () => {});
    expect(again.text).toBe(first.text);
    expect(first.stats.reusedTokens).toBe(0);
    expect(again.stats.reusedTokens).toBe(again.stats.promptTokens - 1);
  });

  it("ends with request/cancelled when the caller aborts, and serves the next request", async () => {
    const engine = sandbox.client();
    const controller = new AbortController();
    const running = engine.generate(longRequest(), () => controller.abort(), controller.signal);
    await expect(running).rejects.toMatchObject({ code: "request/cancelled" });
    expect((await engine.generate(request(), () => {})).text).not.toBe("");
  });

  it("ends the older of two requests for one document", async () => {
    const engine = sandbox.client();
    let older: Promise<unknown> | undefined;
    await new Promise<void>((resolve) => {
      older = engine.generate(longRequest(), () => resolve());
      older.catch(() => undefined);
    });
    const newer = engine.generate(request(), () => {});
    await expect(older).rejects.toMatchObject({ code: "request/cancelled" });
    expect((await newer).text).not.toBe("");
  });

  it("serves two documents of two clients at once", async () => {
    const [a, b] = [sandbox.client(), sandbox.client()];
    const answers = await Promise.all([
      a.generate(request({ documentId: "a", sequenceKey: "a" }), () => {}),
      b.generate(request({ documentId: "b", sequenceKey: "b" }), () => {}),
    ]);
    expect(answers[0].text).toBe(answers[1].text);
    expect((await a.diagnostics()).clientCount).toBe(2);
  });

  it.each([
    ["a missing file", { ...starter, path: "/nowhere/model.gguf" }, "model/not-found"],
    ["a file that is no model", { ...starter, path: import.meta.filename }, "model/not-gguf"],
    ["an impossible thread count", { ...starter, threads: -3 }, "request/invalid"],
  ])("refuses %s with a code", async (_, model, code) => {
    await expect(sandbox.client().generate(request({ model }), () => {})).rejects.toMatchObject({ code });
  });

  it("refuses parameters that make no sense with a code", async () => {
    const engine = sandbox.client();
    for (const wrong of [{ maxTokens: -1 }, { temperature: Number.NaN }, { prefix: 7 as unknown as string }]) {
      await expect(engine.generate(request(wrong), () => {})).rejects.toMatchObject({ code: "request/invalid" });
    }
  });

  it("writes no document text into its log", async () => {
    const quiet = engineSandbox({ HOTPATH_LOG_LEVEL: "debug" });
    await quiet.client().generate(request({ prefix: "password = 'swordfish'\nprint(" }), () => {});
    const log = readFileSync(quiet.files.log, "utf8");
    await quiet.end();
    expect(log).toContain("hello from test");
    expect(log).not.toContain("swordfish");
  });
});

describe("load", () => {
  it("reports progress and then the model to every client", async () => {
    const [loader, watcher] = [sandbox.client(), sandbox.client()];
    await watcher.diagnostics();
    const phases: string[] = [];
    watcher.onDidChangeState((state) => {
      if (state.kind === "running") phases.push(state.models.get(specKey(starter))?.phase ?? "");
    });
    const model = await loader.load(starter);
    expect(model).toMatchObject({ name: expect.any(String), fim: { order: "spm2" }, maxLines: 1, sequenceCount: 4 });
    expect(phases[0]).toBe("loading");
    expect(phases.at(-1)).toBe("ready");
  });

  it("answers inspect without loading", async () => {
    const engine = sandbox.client();
    expect(await engine.inspect(starter.path)).toMatchObject({ architecture: "arcee", quantization: "Q8_0" });
    expect((await engine.diagnostics()).models).toEqual([]);
  });
});
