import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/common/errors.ts";
import { RunningGeneration, textAt } from "../../../src/completion/inFlight.ts";
import type { GenerateParams } from "../../../src/protocol/model.ts";
import { at } from "../../support/cursor.ts";
import { FakeClock } from "../../support/fakeClock.ts";
import { engineStats, ScriptedEngine } from "../../support/scriptedEngine.ts";

describe("textAt", () => {
  const text = (then: string, generated: string, now: string) => textAt(at(then), generated, at(now));

  it.each([
    ["nothing was typed", "x = █\n", "foo()", "x = █\n", "foo()"],
    ["its beginning was typed", "x = █\n", "foo()", "x = fo█\n", "o()"],
    ["it was typed as far as it goes", "x = █\n", "foo", "x = foo█\n", ""],
    ["more was typed than there is so far", "x = █\n", "fo", "x = foo█\n", ""],
    ["there is nothing yet", "x = █\n", "", "x = foo█\n", ""],
    ["the editor closed a bracket", "print█\n", "(a)", "print(█)\n", "a)"],
    ["the editor closed a quote", "x = █\n", '"a"', 'x = "█"\n', 'a"'],
    ["a closing bracket was stepped over", "f(█)\n", "a) + b", "f(a)█\n", " + b"],
    ["a line was begun", "def f():█\n", "\n    return 1", "def f():\n    █\n", "return 1"],
  ])("goes on when %s", (_, then, generated, now, expected) => {
    expect(text(then, generated, now)).toBe(expected);
  });

  it.each([
    ["something else was typed", "x = █\n", "foo()", "x = b█\n"],
    ["something was deleted", "x = █\n", "foo()", "x =█\n"],
    ["the suffix changed", "x = █\n", "foo()", "x = █\ny\n"],
    ["the rest of the line changed", "x = █\n", "foo()", "x = f█ + 1\n"],
    ["the editor closed a bracket and more changed", "f█\n", "(a)", "f(█)\ny\n"],
    ["a bracket was stepped over and more changed", "f(█)\n", "a)", "f(a)█\ny\n"],
    ["a bracket appeared that was not typed", "x = █\n", "foo()", "x = f█)\n"],
    ["the prefix changed", "x = █\n", "foo()", "y = f█\n"],
  ])("does not when %s", (_, then, generated, now) => {
    expect(text(then, generated, now)).toBeNull();
  });
});

describe("RunningGeneration", () => {
  const params = { prefix: "x = ", suffix: "\n" } as GenerateParams;
  const ignored = new AbortController().signal;

  function start() {
    const clock = new FakeClock();
    const engine = new ScriptedEngine();
    const generation = new RunningGeneration(at("x = █\n"), params, engine.generate, clock.now);
    return { clock, generation, script: engine.last };
  }

  it("gives the text from where the person is", async () => {
    const { clock, generation, script } = start();
    const followed = generation.follow(at("x = fo█\n"), ignored);
    await clock.advance(30);
    await script.write("foo");
    await clock.advance(40);
    await script.write("()");
    await script.finish();
    expect(await followed).toEqual({
      rawText: "o()",
      result: { text: "foo()", stopReason: "end", stats: engineStats },
      firstTextMs: 30,
    });
    expect(generation.elapsedMs).toBe(70);
  });

  it("lets go as soon as the text takes another way", async () => {
    const { generation, script } = start();
    const followed = generation.follow(at("x = foo█\n"), ignored);
    await script.write("f");
    expect(generation.isFollowed).toBe(true);
    await script.write("rom");
    expect(await followed).toBeNull();
    expect(generation.isFollowed).toBe(false);
    expect(script.signal.aborted).toBe(false);
  });

  it("lets go when the text ends before the person", async () => {
    const { generation, script } = start();
    const followed = generation.follow(at("x = foo█\n"), ignored);
    await script.write("foo");
    await script.finish();
    expect(await followed).toBeNull();
  });

  it("gives an empty text where it was asked for", async () => {
    const { generation, script } = start();
    const followed = generation.follow(at("x = █\n"), ignored);
    await script.finish();
    expect(await followed).toMatchObject({ rawText: "", firstTextMs: null });
  });

  it("reads line ends split between two pieces", async () => {
    const { generation, script } = start();
    const followed = generation.follow(at("x = [\n█\n"), ignored);
    await script.write("[\r");
    await script.write("\n  1]");
    await script.finish();
    expect(await followed).toMatchObject({ rawText: "  1]" });
  });

  it("goes on when its follower leaves", async () => {
    const { generation, script } = start();
    const controller = new AbortController();
    const followed = generation.follow(at("x = █\n"), controller.signal);
    controller.abort();
    await expect(followed).rejects.toMatchObject({ code: "request/cancelled" });
    expect(generation.isFollowed).toBe(false);
    expect(script.signal.aborted).toBe(false);
  });

  it("passes on how the engine failed", async () => {
    const { generation, script } = start();
    const followed = generation.follow(at("x = █\n"), ignored);
    const rejection = expect(followed).rejects.toMatchObject({ code: "engine/exited" });
    await script.fail(new AppError("engine/exited", "signal SIGKILL"));
    await rejection;
  });

  it("ends in the engine when aborted, twice too", async () => {
    const { generation, script } = start();
    generation.abort();
    generation.abort();
    expect(script.signal.aborted).toBe(true);
    await expect(generation.result).rejects.toMatchObject({ code: "request/cancelled" });
  });
});
