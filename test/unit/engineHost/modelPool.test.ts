import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AppError } from "../../../src/common/errors.ts";
import { silentLogger } from "../../../src/common/logger.ts";
import type { NativeModel } from "../../../src/engineHost/addon.ts";
import { checkSpec, ModelPool } from "../../../src/engineHost/modelPool.ts";
import type { ModelState } from "../../../src/protocol/engine.ts";
import type { ModelSpec } from "../../../src/protocol/model.ts";

const spec = (path: string, threads = 0): ModelSpec => ({
  path,
  device: "cpu",
  gpuLayers: -1,
  contextLength: 0,
  threads,
  mode: "auto",
});

/** An addon with room for `room` models that records what is in memory. */
function memoryWithRoomFor(room: number) {
  const inMemory: string[] = [];
  const load = ({ path }: ModelSpec) => {
    if (inMemory.length >= room) {
      const result = Promise.reject(new AppError("model/too-large", "no room"));
      return { result, cancel() {} };
    }
    inMemory.push(path);
    const model = {
      info: { path } as NativeModel["info"],
      unload: async () => void inMemory.splice(inMemory.indexOf(path), 1),
    } as unknown as NativeModel;
    return { result: Promise.resolve(model), cancel() {} };
  };
  return { inMemory, addon: { load } };
}

function poolWithRoomFor(room: number) {
  const { inMemory, addon } = memoryWithRoomFor(room);
  const states: ModelState[] = [];
  let clock = 0;
  const onState = (state: ModelState) => void states.push(state);
  const files = new Map<string, string>();
  const identify = (path: string) => files.get(path) ?? null;
  const pool = new ModelPool({ addon, logger: silentLogger, onState, now: () => clock++, identify });
  const use = (model: ModelSpec, signal = new AbortController().signal) =>
    pool.use(model, signal, async ({ info }) => info.path);
  return { pool, use, inMemory, states, files };
}

const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("ModelPool", () => {
  it("loads a model once for all who use it", async () => {
    const { use, inMemory } = poolWithRoomFor(9);
    await Promise.all([use(spec("a")), use(spec("a"))]);
    expect(inMemory).toEqual(["a"]);
  });

  it("keeps two models and lets the one used longest ago go", async () => {
    const { use, inMemory } = poolWithRoomFor(9);
    for (const path of ["a", "b", "a", "c"]) await use(spec(path));
    expect(inMemory.sort()).toEqual(["a", "c"]);
  });

  it("takes no model away from a request made in the same turn", async () => {
    const { use, inMemory } = poolWithRoomFor(9);
    expect(await Promise.all(["a", "b", "c"].map((path) => use(spec(path))))).toEqual(["a", "b", "c"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(inMemory.length).toBe(2);
  });

  it("makes room when a model does not fit beside an idle one", async () => {
    const { use, inMemory, states } = poolWithRoomFor(1);
    await use(spec("a"));
    expect(await use(spec("b"))).toBe("b");
    expect(inMemory).toEqual(["b"]);
    expect(states).toContainEqual({ phase: "unloaded", spec: spec("a"), reason: "evicted" });
  });

  it("fails when a model does not fit beside one in use, and tries again later", async () => {
    const { pool, use } = poolWithRoomFor(1);
    await pool.use(spec("a"), new AbortController().signal, async () => {
      await expect(use(spec("b"))).rejects.toMatchObject({ code: "model/too-large" });
    });
    expect(await use(spec("b"))).toBe("b");
  });

  it("replaces a model that is asked for with other settings, and tells of both", async () => {
    const { use, inMemory, states } = poolWithRoomFor(9);
    await use(spec("a", 1));
    await use(spec("a", 2));
    expect(inMemory).toEqual(["a"]);
    expect(states.map(({ phase, spec }) => `${phase} ${spec.threads}`)).toEqual([
      "loading 1",
      "ready 1",
      "loading 2",
      "unloaded 1",
      "ready 2",
    ]);
  });

  it("unloads what nobody used for the idle time, not before", async () => {
    const { pool, use, inMemory } = poolWithRoomFor(9);
    pool.setIdleUnload(1_000);
    await use(spec("a"));
    await vi.advanceTimersByTimeAsync(900);
    expect(inMemory).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(inMemory).toEqual([]);
  });

  it("keeps everything when the idle time is 0", async () => {
    const { pool, use, inMemory } = poolWithRoomFor(9);
    pool.setIdleUnload(0);
    await use(spec("a"));
    await vi.advanceTimersByTimeAsync(1e9);
    expect(inMemory).toEqual(["a"]);
  });

  it("loads when the load that was cancelled before has given its memory back", async () => {
    const events: string[] = [];
    const ends: (() => void)[] = [];
    const addon = {
      load: ({ path }: ModelSpec) => {
        events.push(`begin ${path}`);
        const result = new Promise<NativeModel>((_, reject) => {
          ends.push(() => reject(new AppError("request/cancelled", "cancelled")));
        });
        return { result, cancel: () => void events.push(`cancel ${path}`) };
      },
    };
    const pool = new ModelPool({ addon, logger: silentLogger, onState: () => {}, now: () => 0, identify: () => null });
    const user = new AbortController();
    const answer = pool.use(spec("a"), user.signal, async () => 1).catch((error) => error.code);
    await vi.advanceTimersByTimeAsync(0);
    user.abort();
    expect(await answer).toBe("request/cancelled");
    pool.use(spec("a"), never, async () => 1).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(events).toEqual(["begin a", "cancel a"]);
    ends[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(events).toEqual(["begin a", "cancel a", "begin a"]);
  });

  it("tells of a load that takes long how much longer it will", async () => {
    let clock = 1_000;
    const told: ModelState[] = [];
    let report = (_: number) => {};
    const addon = {
      load: (_: ModelSpec, onProgress: (fraction: number) => void) => {
        report = onProgress;
        return { result: new Promise<NativeModel>(() => {}), cancel() {} };
      },
    };
    const pool = new ModelPool({
      addon,
      logger: silentLogger,
      onState: (state) => told.push(state),
      now: () => clock,
      identify: () => null,
    });
    pool.use(spec("a"), never, async () => 1).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(0);
    clock += 2_000;
    report(0.1);
    const loading = { phase: "loading", spec: spec("a") } as const;
    expect(told).toEqual([
      { ...loading, fraction: 0, remainingMs: null },
      { ...loading, fraction: 0.1, remainingMs: 18_000 },
    ]);
  });

  it("cancels a load that nobody waits for any more, and loads anew when asked again", async () => {
    const cancelled: string[] = [];
    const addon = {
      load: ({ path }: ModelSpec) => {
        let cancel = () => {};
        const result = new Promise<NativeModel>((_, reject) => {
          cancel = () => {
            cancelled.push(path);
            reject(new AppError("request/cancelled", "cancelled"));
          };
        });
        return { result, cancel };
      },
    };
    const states: ModelState[] = [];
    const pool = new ModelPool({
      addon,
      logger: silentLogger,
      onState: (state) => states.push(state),
      now: () => 0,
      identify: () => null,
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [first, second].map(({ signal }) =>
      pool.use(spec("a"), signal, async () => 1).catch((e) => e.code),
    );
    first.abort();
    await waiting[0];
    expect(cancelled).toEqual([]);
    second.abort();
    expect(await Promise.all(waiting)).toEqual(["request/cancelled", "request/cancelled"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(cancelled).toEqual(["a"]);
    expect(states.at(-1)).toEqual({ phase: "unloaded", spec: spec("a"), reason: "cancelled" });
    expect(pool.states).toEqual([]);
  });

  it("runs the work of a model in turn and lets the cancelled leave the queue at once", async () => {
    const { pool } = poolWithRoomFor(9);
    const order: string[] = [];
    let finishFirst = () => {};
    const none = new AbortController();
    const first = pool.useInTurn(spec("a"), "completion", none.signal, async () => {
      await new Promise<void>((resolve) => {
        finishFirst = resolve;
      });
      order.push("first");
    });
    const leaving = new AbortController();
    const second = pool.useInTurn(spec("a"), "completion", leaving.signal, async () => order.push("second"));
    const third = pool.useInTurn(spec("a"), "completion", none.signal, async () => order.push("third"));
    await vi.advanceTimersByTimeAsync(0);
    leaving.abort();
    await expect(second).rejects.toMatchObject({ code: "request/cancelled" });
    expect(order).toEqual([]);
    finishFirst();
    await Promise.all([first, third]);
    expect(order).toEqual(["first", "third"]);
  });

  it("keeps what is held beside the same file in other modes and beside any number of others", async () => {
    const { pool, use, inMemory } = poolWithRoomFor(9);
    pool.setIdleUnload(1_000);
    await use(spec("a", 1));
    const holds = await Promise.all([2, 3].map((threads) => pool.hold(spec("a", threads), never)));
    expect(inMemory).toEqual(["a", "a", "a"]);
    for (const path of ["b", "c", "d"]) await use(spec(path));
    await use(spec("a", 4));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(inMemory).toEqual(["a", "a"]);
    expect(pool.states.map((state) => state.spec.threads)).toEqual([2, 3]);
    await Promise.all(holds.map((hold) => hold.release()));
    expect(inMemory).toEqual([]);
  });

  it("frees what was only held with its last hold and last use, and says so", async () => {
    const { pool, inMemory, states } = poolWithRoomFor(9);
    const [first, second] = [await pool.hold(spec("a"), never), await pool.hold(spec("a"), never)];
    let finish = () => {};
    const working = pool.useInTurn(spec("a"), "background", never, () => {
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    await vi.advanceTimersByTimeAsync(0);
    await first.release();
    await first.release();
    expect(inMemory).toEqual(["a"]);
    await second.release();
    expect(inMemory).toEqual(["a"]);
    finish();
    await working;
    await vi.advanceTimersByTimeAsync(0);
    expect(inMemory).toEqual([]);
    expect(states.at(-1)).toEqual({ phase: "unloaded", spec: spec("a"), reason: "released" });
  });

  it("leaves what somebody completes with in memory when it is released", async () => {
    const { pool, inMemory } = poolWithRoomFor(9);
    const hold = await pool.hold(spec("a"), never);
    await pool.useInTurn(spec("a"), "completion", never, async () => undefined);
    await hold.release();
    expect(inMemory).toEqual(["a"]);
  });

  it("frees what only its holder loaded and completed with, and keeps the model of the editor", async () => {
    const { pool, use, inMemory } = poolWithRoomFor(9);
    await use(spec("editor"));
    for (const path of ["a", "b"]) {
      const hold = await pool.hold(spec(path), never);
      await pool.use(spec(path), never, async () => undefined, true);
      await pool.useInTurn(spec(path), "completion", never, async () => undefined, true);
      await hold.release();
    }
    expect(inMemory).toEqual(["editor"]);
  });

  it("unloads what is idle, never what is held, to make room for a hold", async () => {
    const { pool, use, inMemory } = poolWithRoomFor(2);
    await use(spec("idle"));
    await pool.hold(spec("a"), never);
    await pool.hold(spec("b"), never);
    expect(inMemory).toEqual(["a", "b"]);
    await expect(pool.hold(spec("c"), never)).rejects.toMatchObject({ code: "model/too-large" });
    await expect(use(spec("c"))).rejects.toMatchObject({ code: "model/too-large" });
    expect(inMemory).toEqual(["a", "b"]);
  });

  it("loads a model anew for a hold when another file took its place, unless the old one is in use", async () => {
    const { pool, use, states, files } = poolWithRoomFor(9);
    await use(spec("a"));
    files.set("a", "another");
    const hold = await pool.hold(spec("a"), never);
    expect(states.map(({ phase }) => phase)).toEqual(["loading", "ready", "loading", "ready"]);
    files.set("a", "a third");
    await expect(pool.hold(spec("a"), never)).rejects.toMatchObject({
      code: "model/unloaded",
      message: "a was replaced since it was loaded, and the old one is in use",
    });
    await hold.release();
    await pool.hold(spec("a"), never);
    expect(states.filter(({ phase }) => phase === "ready")).toHaveLength(3);
  });

  it("holds nothing for who gave up", async () => {
    const { pool, inMemory } = poolWithRoomFor(9);
    const leaving = new AbortController();
    const holding = pool.hold(spec("a"), leaving.signal);
    leaving.abort();
    await expect(holding).rejects.toMatchObject({ code: "request/cancelled" });
    await vi.advanceTimersByTimeAsync(0);
    expect(inMemory).toEqual([]);
  });

  it("frees everything when it ends", async () => {
    const { pool, use, inMemory } = poolWithRoomFor(9);
    await use(spec("a"));
    await pool.dispose();
    expect(inMemory).toEqual([]);
  });
});

describe("checkSpec", () => {
  it.each([
    { ...spec(""), path: "" },
    { ...spec("a"), device: "tpu" as "cpu" },
    { ...spec("a"), threads: -1 },
    { ...spec("a"), threads: 1.5 },
    { ...spec("a"), gpuLayers: -2 },
    { ...spec("a"), contextLength: Number.POSITIVE_INFINITY },
  ])("refuses %j", (wrong) => {
    expect(() => checkSpec(wrong)).toThrow(expect.objectContaining({ code: "request/invalid" }));
  });
});
