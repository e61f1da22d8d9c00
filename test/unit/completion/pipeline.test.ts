import { beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../src/common/errors.ts";
import type { Outcome } from "../../../src/completion/outcome.ts";
import { CompletionPipeline } from "../../../src/completion/pipeline.ts";
import type { CompletionRequest } from "../../../src/completion/turn.ts";
import { at } from "../../support/cursor.ts";
import { FakeClock, settle } from "../../support/fakeClock.ts";
import { engineStats, ScriptedEngine } from "../../support/scriptedEngine.ts";

const delayMs = 50;

function requestAt(code: string, change: Partial<CompletionRequest> = {}): CompletionRequest {
  return {
    ...at(code),
    documentId: "file:///a.ts",
    languageId: "typescript",
    indentation: { insertSpaces: true, tabSize: 2 },
    modelKey: "starter",
    modelMaxLines: null,
    limits: { maxPromptTokens: 512, maxTokens: 64, maxLines: 0, temperature: 0, timeLimitMs: 2000 },
    trigger: {
      kind: "automatic",
      lastChange: "insert",
      isSelectionEmpty: true,
      cursorCount: 1,
      typingIntervalsMs: [],
      latencyMs: null,
      onBattery: false,
      fixedDelayMs: delayMs,
    },
    ...change,
  };
}

let clock: FakeClock;
let engine: ScriptedEngine;
let pipeline: CompletionPipeline;

beforeEach(() => {
  clock = new FakeClock();
  engine = new ScriptedEngine();
  pipeline = new CompletionPipeline({ generate: engine.generate, now: clock.now, wait: clock.wait });
});

function complete(code: string, change: Partial<CompletionRequest> = {}, signal = new AbortController().signal) {
  return pipeline.complete(requestAt(code, change), signal);
}

/** A request that reached the engine. */
async function started(code: string, change: Partial<CompletionRequest> = {}, signal?: AbortSignal) {
  const outcome = complete(code, change, signal);
  await clock.advance(delayMs);
  return { outcome, generation: engine.last };
}

/** A request the engine answered. */
async function answered(code: string, text: string, change: Partial<CompletionRequest> = {}): Promise<Outcome> {
  const { outcome, generation } = await started(code, change);
  await generation.write(text);
  await generation.finish();
  return outcome;
}

const shortly = ({ text, replaceAfter, source, reason }: Outcome) => ({ text, replaceAfter, source, reason });
const some = (source: Outcome["source"], text: string, replaceAfter = 0) => ({
  text,
  replaceAfter,
  source,
  reason: null,
});
const none = (reason: Outcome["reason"]) => ({ text: "", replaceAfter: 0, source: "none", reason });

describe("CompletionPipeline with an engine", () => {
  it("asks the engine after the wait and says where the text came from and what it took", async () => {
    const outcome = complete("const a = █\n");
    await clock.advance(delayMs - 1);
    expect(engine.generations).toEqual([]);
    await clock.advance(1);
    expect(engine.last.params).toEqual({
      form: "fim",
      prefix: "const a = ",
      suffix: "\n",
      maxPromptTokens: 512,
      maxTokens: 64,
      maxLines: 1,
      stop: [],
      temperature: 0,
      topP: 0.95,
      seed: 0,
      timeLimitMs: 2000,
      sequenceKey: "file:///a.ts",
      ignoreEnd: false,
      freshCache: false,
      timeTokens: false,
    });
    await clock.advance(30);
    await engine.last.write("b + ");
    await clock.advance(40);
    await engine.last.write("c;  ");
    await engine.last.finish();
    expect(await outcome).toEqual({
      text: "b + c;",
      replaceAfter: 0,
      source: "engine",
      reason: null,
      timings: { delayMs: 50, queuedMs: 10, ttftMs: 80, totalMs: 120 },
      stats: engineStats,
      trace: { prefixLength: 10, suffixLength: 1, maxLines: 1, rawText: "b + c;  ", changedBy: ["trailingBlanks"] },
    });
  });

  it("asks at once at the start of a line", async () => {
    const trigger = { ...requestAt("█").trigger, fixedDelayMs: null };
    const outcome = complete("  █\n", { trigger });
    await settle();
    await engine.last.write("foo();");
    await engine.last.finish();
    expect(await outcome).toMatchObject({ text: "foo();", timings: { delayMs: 0, ttftMs: 0 } });
  });

  it("asks for several lines where a block begins, as many as the model is worth", async () => {
    await started("function f() {█\n");
    expect(engine.last.params.maxLines).toBe(16);
    await started("function g() {█\n", { modelMaxLines: 1 });
    expect(engine.last.params.maxLines).toBe(1);
  });

  it("gives line feeds to the engine and back when the document has other line ends", async () => {
    expect(shortly(await answered("if (x) {█\r\nz();\r\n", "\r\n  y();\r\n}"))).toEqual(some("engine", "\n  y();\n}"));
    expect(engine.last.params).toMatchObject({ prefix: "if (x) {", suffix: "\nz();\n" });
  });

  it("replaces the bracket the editor closed when the text goes on after it", async () => {
    expect(shortly(await answered("foo(█)\n", "a).then(b);"))).toEqual(some("engine", "a).then(b);", 1));
  });

  it("gives nothing, with the reason, when nothing is left of the text", async () => {
    const outcome = await answered("  foo(1);\n  █\n", "foo(1);");
    expect(outcome).toEqual({
      ...none("repeats-above"),
      timings: { delayMs: 50, queuedMs: 0, ttftMs: 50, totalMs: 50 },
      stats: engineStats,
      trace: {
        prefixLength: 12,
        suffixLength: 1,
        maxLines: 16,
        rawText: "foo(1);",
        changedBy: ["repeatedAbove"],
      },
    });
  });

  it("gives nothing when the model writes nothing", async () => {
    const { outcome, generation } = await started("x = 1█\n");
    await generation.finish();
    expect(await outcome).toMatchObject({ ...none("blank"), timings: { ttftMs: null } });
  });

  it("fails with the engine's code, and works again at the next request", async () => {
    const { outcome, generation } = await started("a = █");
    const rejection = expect(outcome).rejects.toMatchObject({ code: "engine/exited", message: "signal SIGKILL" });
    await generation.fail(new AppError("engine/exited", "signal SIGKILL"));
    await rejection;
    expect(shortly(await answered("a = █", "1"))).toEqual(some("engine", "1"));
  });

  it("gives nothing when the engine itself cancels", async () => {
    const { outcome, generation } = await started("a = █");
    await generation.fail(new AppError("request/cancelled", "superseded by another window"));
    expect(shortly(await outcome)).toEqual(none("cancelled"));
  });
});

describe("CompletionPipeline when not to ask", () => {
  const triggerWith = (change: Partial<CompletionRequest["trigger"]>) => ({
    trigger: { ...requestAt("█").trigger, ...change },
  });

  it("says why it skips, without an engine", async () => {
    expect(await complete("x█y")).toEqual({
      ...none("rest-of-line"),
      timings: { delayMs: 0, queuedMs: 0, ttftMs: null, totalMs: 0 },
      stats: null,
      trace: { prefixLength: 1, suffixLength: 1, maxLines: 1, rawText: null, changedBy: [] },
    });
    expect(engine.generations).toEqual([]);
  });

  it("asks for the same position when told by hand", async () => {
    const outcome = await answered("x = █y", "1 + ", triggerWith({ kind: "invoked" }));
    expect(shortly(outcome)).toEqual(some("engine", "1 + "));
  });

  it("shows more of the suggestion when the person deletes back into it", async () => {
    await answered("a = █\n", "bcd");
    expect(shortly(await complete("a = bc█\n"))).toEqual(some("typed", "d"));
    expect(shortly(await complete("a = b█\n", triggerWith({ lastChange: "delete" })))).toEqual(some("typed", "cd"));
    expect(shortly(await complete("a =█\n", triggerWith({ lastChange: "delete" })))).toEqual(none("deletion"));
  });

  it("ends a generation that the undone text no longer agrees with", async () => {
    const { generation } = await started("a = b█\n");
    expect(shortly(await complete("a =█\n", triggerWith({ lastChange: "undo" })))).toEqual(none("undo-redo"));
    expect(generation.signal.aborted).toBe(true);
  });
});

describe("CompletionPipeline while one types along", () => {
  it("answers typed text without the engine", async () => {
    await answered("a = █\n", "foo(1);");
    await clock.advance(400);
    expect(await complete("a = foo█\n")).toEqual({
      ...some("typed", "(1);"),
      timings: { delayMs: 0, queuedMs: 0, ttftMs: 0, totalMs: 0 },
      stats: null,
      trace: { prefixLength: 7, suffixLength: 1, maxLines: 1, rawText: null, changedBy: [] },
    });
    expect(shortly(await complete("a = foo(█)\n"))).toEqual(some("typed", "1);", 1));
    expect(engine.generations.length).toBe(1);
  });

  it("asks the engine again when the suggestion was typed to its end", async () => {
    await answered("a = █\n", "foo");
    expect(shortly(await answered("a = foo█\n", "(1);"))).toEqual(some("engine", "(1);"));
  });

  it("keeps the running generation when the user types along", async () => {
    const { outcome: first, generation } = await started("a = █\n");
    await generation.write("fo");
    await clock.advance(100);
    const second = complete("a = foo█\n");
    expect(shortly(await first)).toEqual(none("superseded"));
    await clock.advance(30);
    await generation.write("o(1);");
    await generation.finish();
    expect(await second).toEqual({
      ...some("inFlight", "(1);"),
      timings: { delayMs: 0, queuedMs: 70, ttftMs: 30, totalMs: 30 },
      stats: engineStats,
      trace: { prefixLength: 7, suffixLength: 1, maxLines: 1, rawText: "(1);", changedBy: [] },
    });
    expect(engine.generations.length).toBe(1);
    expect(generation.signal.aborted).toBe(false);
  });

  it("keeps it also while the model has not written anything", async () => {
    const { generation } = await started("a = █\n");
    const second = complete("a = f█\n");
    await settle();
    await generation.write("foo");
    await generation.finish();
    expect(shortly(await second)).toEqual(some("inFlight", "oo"));
  });

  it("keeps it when the editor closed a bracket meanwhile", async () => {
    const { generation } = await started("foo█\n");
    const second = complete("foo(█)\n");
    await settle();
    await generation.write("(a, b);");
    await generation.finish();
    expect(shortly(await second)).toEqual(some("inFlight", "a, b);", 1));
  });

  it("aborts it at once, before the wait of the new request ends, when they disagree", async () => {
    const { outcome: first, generation } = await started("a = █\n");
    await generation.write("foo");
    const second = complete("a = x█\n");
    await settle();
    expect(generation.signal.aborted).toBe(true);
    expect(engine.generations.length).toBe(1);
    expect(shortly(await first)).toEqual(none("superseded"));
    await clock.advance(delayMs);
    await engine.last.write("yz");
    await engine.last.finish();
    expect(shortly(await second)).toEqual(some("engine", "yz"));
  });

  it("aborts it as soon as its text takes another way than what was typed", async () => {
    const { generation } = await started("a = █\n");
    const second = complete("a = foo█\n");
    await clock.advance(delayMs);
    await generation.write("f");
    expect(generation.signal.aborted).toBe(false);
    await generation.write("rom");
    expect(generation.signal.aborted).toBe(true);
    await engine.last.write("(1)");
    await engine.last.finish();
    expect(await second).toMatchObject({ ...some("engine", "(1)"), timings: { delayMs: 0, totalMs: 50 } });
    expect(engine.generations.length).toBe(2);
  });

  it("aborts it also before the wait of the new request ends", async () => {
    const { generation } = await started("a = █\n");
    void complete("a = foo█\n");
    await generation.write("from");
    expect(generation.signal.aborted).toBe(true);
    expect(engine.generations.length).toBe(1);
    await clock.advance(delayMs);
    expect(engine.last.params.prefix).toBe("a = foo");
  });

  it("asks anew when the running generation ends with what was typed", async () => {
    const { generation } = await started("a = █\n");
    const second = complete("a = foo█\n");
    await clock.advance(delayMs);
    await generation.write("foo");
    await generation.finish();
    await engine.last.write("(1)");
    await engine.last.finish();
    expect(shortly(await second)).toEqual(some("engine", "(1)"));
  });

  it("fails for whoever adopted a generation that fails", async () => {
    const { generation } = await started("a = █\n");
    const second = complete("a = f█\n");
    const rejection = expect(second).rejects.toMatchObject({ code: "device/out-of-memory" });
    await settle();
    await generation.fail(new AppError("device/out-of-memory", "needs 2 GiB, 1 GiB free"));
    await rejection;
  });
});

describe("CompletionPipeline, newest request", () => {
  it("lets only the newest of fast keystrokes reach the engine", async () => {
    const first = complete("a█\n");
    await clock.advance(20);
    const second = complete("ab█\n");
    await clock.advance(20);
    const third = complete("abc█\n");
    await clock.advance(delayMs);
    expect([shortly(await first), shortly(await second)]).toEqual([none("superseded"), none("superseded")]);
    expect(engine.generations.map(({ params }) => params.prefix)).toEqual(["abc"]);
    expect(clock.waitCount).toBe(0);
    await engine.last.write("d");
    await engine.last.finish();
    expect(shortly(await third)).toEqual(some("engine", "d"));
  });

  it("lets requests of two documents run side by side", async () => {
    const first = await started("a = █");
    const second = await started("b = █", { documentId: "file:///b.ts" });
    await first.generation.write("1");
    await first.generation.finish();
    await second.generation.write("2");
    await second.generation.finish();
    expect(shortly(await first.outcome)).toEqual(some("engine", "1"));
    expect(shortly(await second.outcome)).toEqual(some("engine", "2"));
  });

  it("ends a generation nobody waits for when another document needs the engine", async () => {
    const controller = new AbortController();
    const first = await started("a = █", {}, controller.signal);
    controller.abort();
    await settle();
    expect(first.generation.signal.aborted).toBe(false);
    await started("b = █", { documentId: "file:///b.ts" });
    expect(first.generation.signal.aborted).toBe(true);
  });
});

describe("CompletionPipeline when the editor cancels", () => {
  it("lets the generation run on for the next keystroke", async () => {
    const controller = new AbortController();
    const { outcome: first, generation } = await started("a = █\n", {}, controller.signal);
    controller.abort();
    expect(shortly(await first)).toEqual(none("cancelled"));
    expect(generation.signal.aborted).toBe(false);
    const second = complete("a = f█\n");
    await generation.write("foo");
    await generation.finish();
    expect(shortly(await second)).toEqual(some("inFlight", "oo"));
  });

  it("keeps an answer that comes when nobody waits", async () => {
    const controller = new AbortController();
    const { generation } = await started("a = █\n", {}, controller.signal);
    controller.abort();
    await generation.write("foo");
    await generation.finish();
    expect(shortly(await complete("a = █\n"))).toEqual(some("cache", "foo"));
    expect(engine.generations.length).toBe(1);
  });

  it("does not ask the engine when it cancels during the wait", async () => {
    const controller = new AbortController();
    const outcome = complete("a = █", {}, controller.signal);
    controller.abort();
    expect(shortly(await outcome)).toEqual(none("cancelled"));
    await clock.advance(delayMs);
    expect(engine.generations).toEqual([]);
  });

  it("does not ask the engine when it cancels as the wait ends", async () => {
    const controller = new AbortController();
    const outcome = complete("a = █", {}, controller.signal);
    const advanced = clock.advance(delayMs);
    controller.abort();
    await advanced;
    expect(shortly(await outcome)).toEqual(none("cancelled"));
    expect(engine.generations).toEqual([]);
  });

  it("gives nothing when it cancelled before the request, not even what is there", async () => {
    await answered("b = █", "1");
    expect(shortly(await complete("b = █", {}, AbortSignal.abort()))).toEqual(none("cancelled"));
    expect(shortly(await complete("a = █", {}, AbortSignal.abort()))).toEqual(none("cancelled"));
  });

  it("does not complain when a generation fails that nobody waits for", async () => {
    const controller = new AbortController();
    const { outcome, generation } = await started("a = █", {}, controller.signal);
    controller.abort();
    await generation.fail(new AppError("engine/exited", "signal SIGKILL"));
    expect(shortly(await outcome)).toEqual(none("cancelled"));
  });
});

describe("CompletionPipeline with its cache", () => {
  it("answers from the cache, forwards and backwards", async () => {
    await answered("a = █\n", "foo(1);");
    await answered("other█\n", " = 2;");
    expect(shortly(await complete("a = fo█\n"))).toEqual(some("cache", "o(1);"));
    await answered("another█\n", " = 3;");
    expect(shortly(await complete("a = █\n"))).toEqual(some("cache", "foo(1);"));
    expect(engine.generations.length).toBe(3);
  });

  it("shares it between documents", async () => {
    await answered("a = █\n", "foo(1);");
    expect(shortly(await complete("a = █\n", { documentId: "file:///b.ts" }))).toEqual(some("cache", "foo(1);"));
  });

  it.each([
    ["the suffix changed", "a = █\nb\n", {}],
    ["another model is used", "a = █\n", { modelKey: "7B" }],
    ["the language is another", "a = █\n", { languageId: "python" }],
    ["the person wants one line", "a = █\n", { limits: { ...requestAt("█").limits, maxLines: 1 } }],
  ])("asks the engine when %s", async (_, code, change) => {
    await answered("a = █\n", "foo(1);");
    await answered("elsewhere█\n", ";");
    expect(shortly(await answered(code, "bar();", change))).toEqual(some("engine", "bar();"));
  });

  it("forgets what runs and was shown when another model is used", async () => {
    await answered("a = █\n", "foo(1);");
    const { generation } = await started("a = b█\n");
    const outcome = complete("a = fo█\n", { modelKey: "7B" });
    await settle();
    expect(generation.signal.aborted).toBe(true);
    await clock.advance(delayMs);
    await engine.last.write("r (;;)");
    await engine.last.finish();
    expect(shortly(await outcome)).toEqual(some("engine", "r (;;)"));
  });

  it("answers from the cache when only the budget changed", async () => {
    await answered("a = █\n", "foo(1);");
    const limits = { ...requestAt("█").limits, maxPromptTokens: 100, timeLimitMs: 100 };
    expect(shortly(await complete("a = █\n", { documentId: "file:///b.ts", limits }))).toEqual(
      some("cache", "foo(1);"),
    );
  });

  it("does not ask again where nothing came", async () => {
    await answered("foo(1);\n█\n", "foo(1);");
    expect(shortly(await complete("foo(1);\n█\n"))).toEqual(none("repeats-above"));
    expect(engine.generations.length).toBe(1);
  });
});

describe("CompletionPipeline at the end", () => {
  it("ends what runs for a document when it closes", async () => {
    const { outcome, generation } = await started("a = █");
    pipeline.closed("file:///a.ts");
    expect(generation.signal.aborted).toBe(true);
    expect(shortly(await outcome)).toEqual(none("superseded"));
  });

  it("takes no notice when an unknown document closes", () => {
    expect(() => pipeline.closed("file:///never-seen.ts")).not.toThrow();
  });

  it("does not keep an answer that was on its way when reset", async () => {
    const { outcome, generation } = await started("a = █\n");
    await generation.write("foo");
    const finished = generation.finish();
    pipeline.reset();
    await finished;
    expect(shortly(await outcome)).toEqual(none("superseded"));
    expect(shortly(await answered("a = █\n", "bar"))).toEqual(some("engine", "bar"));
  });

  it("forgets everything when reset", async () => {
    await answered("a = █\n", "foo");
    const { outcome, generation } = await started("b = █\n");
    pipeline.reset();
    expect(generation.signal.aborted).toBe(true);
    expect(shortly(await outcome)).toEqual(none("superseded"));
    expect(shortly(await answered("a = █\n", "bar"))).toEqual(some("engine", "bar"));
  });
});
