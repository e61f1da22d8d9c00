import { describe, expect, it } from "vitest";
import { Turns } from "../../../src/engineHost/turns.ts";
import type { Priority } from "../../../src/protocol/engine.ts";

const never = new AbortController().signal;

/** Work that notes its name when it starts and ends when it is told to. */
function recordedTurns() {
  const turns = new Turns();
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (name: string, priority: Priority, signal = never) =>
    turns.run(priority, signal, () => {
      started.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await settled();
  };
  return { ask, end, started };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("Turns", () => {
  it("lets waiting completions go before waiting background work, each in the order they came", async () => {
    const { ask, end, started } = recordedTurns();
    const all = [
      ask("b1", "background"),
      ask("b2", "background"),
      ask("c1", "completion"),
      ask("b3", "background"),
      ask("c2", "completion"),
    ];
    await settled();
    expect(started).toEqual(["b1"]);
    for (const name of ["b1", "c1", "c2", "b2", "b3"]) await end(name);
    await Promise.all(all);
    expect(started).toEqual(["b1", "c1", "c2", "b2", "b3"]);
  });

  it("does not interrupt what runs", async () => {
    const { ask, end, started } = recordedTurns();
    const background = ask("b", "background");
    const completion = ask("c", "completion");
    await settled();
    expect(started).toEqual(["b"]);
    await end("b");
    await end("c");
    await Promise.all([background, completion]);
  });

  it("lets who is cancelled leave the queue at once, and nobody else", async () => {
    const { ask, end, started } = recordedTurns();
    const leaving = new AbortController();
    const first = ask("first", "completion");
    const left = ask("left", "completion", leaving.signal);
    const last = ask("last", "completion");
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: "request/cancelled" });
    await expect(ask("late", "completion", leaving.signal)).rejects.toMatchObject({ code: "request/cancelled" });
    await end("first");
    await end("last");
    await Promise.all([first, last]);
    expect(started).toEqual(["first", "last"]);
  });

  it("goes on after work that failed", async () => {
    const turns = new Turns();
    const failed = turns.run("completion", never, () => Promise.reject(new Error("broken")));
    const next = turns.run("background", never, async () => "done");
    await expect(failed).rejects.toThrow("broken");
    expect(await next).toBe("done");
  });
});
