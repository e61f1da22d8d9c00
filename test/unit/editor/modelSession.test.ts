import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/common/errors.ts";
import { ModelSession } from "../../../src/editor/modelSession.ts";
import type { Engine, EngineState } from "../../../src/engine/engine.ts";
import { type LoadedModel, type ModelSpec, specKey } from "../../../src/protocol/model.ts";
import { qwen } from "./models.ts";

interface Load {
  readonly spec: ModelSpec;
  readonly signal: AbortSignal | undefined;
  readonly finish: (model: LoadedModel) => void;
  readonly fail: (error: Error) => void;
}

function engineWithLoads(state: EngineState = { kind: "stopped" }) {
  const loads: Load[] = [];
  const engine: Pick<Engine, "state" | "load"> = {
    state,
    load: (spec, signal) => new Promise((finish, fail) => loads.push({ spec, signal, finish, fail })),
  };
  return { engine, loads };
}

describe("ModelSession", () => {
  it("asks the engine for nothing when the model is ready", async () => {
    const models = new Map([[specKey(qwen.spec), { phase: "ready", spec: qwen.spec, model: qwen } as const]]);
    const { engine, loads } = engineWithLoads({ kind: "running", pid: 7, models });
    expect(await new ModelSession(engine, qwen.spec).ready()).toBe(qwen);
    expect(loads).toEqual([]);
  });

  it("loads again when the loaded model has other options", () => {
    const models = new Map([[specKey(qwen.spec), { phase: "ready", spec: qwen.spec, model: qwen } as const]]);
    const { engine, loads } = engineWithLoads({ kind: "running", pid: 7, models });
    void new ModelSession(engine, { ...qwen.spec, threads: 2 }).ready();
    expect(loads.map(({ spec }) => spec.threads)).toEqual([2]);
  });

  it.each(["ready", "not loaded yet"])("refuses a model that cannot fill in and is %s", async (how) => {
    const plain = { ...qwen, fim: null };
    const models = new Map([[specKey(qwen.spec), { phase: "ready", spec: qwen.spec, model: plain } as const]]);
    const { engine, loads } = engineWithLoads(how === "ready" ? { kind: "running", pid: 7, models } : undefined);
    const session = new ModelSession(engine, qwen.spec);
    const first = session.ready();
    loads[0]?.finish(plain);
    await expect(first).rejects.toMatchObject({ code: "model/no-fim", details: { path: qwen.path } });
    await expect(session.ready()).rejects.toMatchObject({ code: "model/no-fim" });
    expect(loads).toHaveLength(1);
  });

  it("shares one load when several ask", async () => {
    const { engine, loads } = engineWithLoads();
    const session = new ModelSession(engine, qwen.spec);
    const both = Promise.all([session.ready(), session.ready()]);
    loads[0]?.finish(qwen);
    expect(await both).toEqual([qwen, qwen]);
    expect(loads).toHaveLength(1);
  });

  it("keeps loading when the one who asked stops waiting", async () => {
    const { engine, loads } = engineWithLoads();
    const session = new ModelSession(engine, qwen.spec);
    const keystroke = new AbortController();
    const first = session.ready(keystroke.signal);
    keystroke.abort();
    await expect(first).rejects.toMatchObject({ code: "request/cancelled" });
    const second = session.ready();
    loads[0]?.finish(qwen);
    expect(await second).toBe(qwen);
    expect(loads[0]?.signal?.aborted).toBe(false);
  });

  it("does not try a model that failed with every keystroke, but after a while or when asked", async () => {
    const { engine, loads } = engineWithLoads();
    let now = 0;
    const session = new ModelSession(engine, qwen.spec, () => now);
    const tooLarge = new AppError("model/too-large", "needs 40 GB");
    const first = session.ready();
    loads[0]?.fail(tooLarge);
    await expect(first).rejects.toBe(tooLarge);
    await expect(session.ready()).rejects.toBe(tooLarge);
    expect(loads).toHaveLength(1);
    session.forgetFailure();
    void session.ready().catch(() => {});
    expect(loads).toHaveLength(2);
    loads[1]?.fail(tooLarge);
    await expect(session.ready()).rejects.toBe(tooLarge);
    now = 60_000;
    void session.ready().catch(() => {});
    expect(loads).toHaveLength(3);
  });

  it("tries again at once when the engine was lost while loading", async () => {
    const { engine, loads } = engineWithLoads();
    const session = new ModelSession(engine, qwen.spec);
    const first = session.ready();
    loads[0]?.fail(new AppError("engine/exited", "killed"));
    await expect(first).rejects.toMatchObject({ code: "engine/exited" });
    void session.ready();
    expect(loads).toHaveLength(2);
  });

  it("ends the load when another model is chosen", () => {
    const { engine, loads } = engineWithLoads();
    const session = new ModelSession(engine, qwen.spec);
    void session.ready();
    session.use({ ...qwen.spec, path: "/models/other.gguf" });
    void session.ready();
    expect(loads.map(({ spec, signal }) => [spec.path, signal?.aborted])).toEqual([
      ["/models/qwen.gguf", true],
      ["/models/other.gguf", false],
    ]);
  });

  it("tries again when a load failed", async () => {
    const { engine, loads } = engineWithLoads();
    const session = new ModelSession(engine, qwen.spec);
    const failed = session.ready();
    loads[0]?.fail(new Error("no such file"));
    await expect(failed).rejects.toThrow("no such file");
    const again = session.ready();
    loads[1]?.finish(qwen);
    expect(await again).toBe(qwen);
  });
});
