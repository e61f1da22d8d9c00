import { describe, expect, it } from "vitest";
import { isUnfinished } from "../../../../src/benchmark/record/resume.ts";
import { finished, model, results, type Script, ScriptedRun, type SuiteScript } from "../../../support/benchmarkRun.ts";

const latency: SuiteScript = { id: "latency", kind: "speed", tasks: ["t1", "t2"], repetitions: 2 };
const starter: SuiteScript = { id: "starter", kind: "quality", tasks: ["q1", "q2"] };
const subjects = [model("A"), model("B")];

describe("steering a run", () => {
  it("pauses after the generation under way, and warms up again", async () => {
    const run = new ScriptedRun({ subjects: [model("A")], suites: [latency] });
    let pausedAt = -1;
    run.onEvent = (event) => {
      if (event !== "A t2" || pausedAt >= 0) return;
      pausedAt = run.events.length;
      run.control.pause();
      setImmediate(() => {
        expect(run.events).toHaveLength(pausedAt);
        expect(run.progress.at(-1)?.phase).toBe("paused");
        run.control.resume();
      });
    };
    await run.start();
    expect(run.of("warning").map(({ code }) => code)).toEqual(["paused"]);
    expect(run.of("output").filter(({ isWarmUp }) => isWarmUp)).toHaveLength(2);
    expect(results(run.entries)).toHaveLength(4);
  });

  it.each(["A t2", "B t1", "score q1", "open B", "wait 5000"])(
    "ends at once when cancelled at %s, and closes all",
    async (when) => {
      const run = new ScriptedRun({ subjects, suites: [{ ...latency, task: { idleMs: 5000 } }, starter] });
      run.onEvent = (event) => {
        if (event === when) run.control.cancel();
      };
      expect(await run.start()).toEqual({ runId: "run", status: "cancelled", failures: [] });
      const after = run.events.slice(run.events.indexOf(when) + 1);
      expect(after.filter((event) => !/^(unload|close)/.test(event))).toEqual([]);
      expect(run.events.filter((event) => event.startsWith("close"))).toEqual(["close A", "close B"]);
      expect(run.entries.at(-1)).toMatchObject({ type: "end", status: "cancelled" });
    },
  );

  it("ends when cancelled during a pause", async () => {
    const run = new ScriptedRun({ subjects, suites: [latency] });
    run.onEvent = (event) => {
      if (event !== "A t2") return;
      run.control.pause();
      setImmediate(() => run.control.cancel());
    };
    expect(await run.start()).toMatchObject({ status: "cancelled" });
  });

  it("tells how long the rest will take once something has been done", async () => {
    const run = await finished({ subjects, suites: [latency, starter] });
    const known = run.progress.filter(({ remainingMs }) => remainingMs !== null);
    expect(known[0]).toMatchObject({ phase: "warming-up", done: 1, total: 12, remainingMs: expect.any(Number) });
    const lastRound = run.progress.find(({ done, phase }) => done === 11 && phase === "measuring");
    expect(lastRound).toMatchObject({ total: 12, remainingMs: expect.closeTo(35, 0) });
    expect(run.progress.at(-1)).toMatchObject({ done: 12, total: 12, remainingMs: 0 });
  });

  it("names subjects as the plan labels them while it scores", async () => {
    const run = await finished({ subjects, suites: [starter] });
    const scored = run.progress.flatMap(({ phase, what }) => (phase === "scoring" ? [what] : []));
    expect(new Set(scored)).toEqual(new Set(["q1 by Model A", "q1 by Model B", "q2 by Model A", "q2 by Model B"]));
  });
});

describe("a record that was cut off", () => {
  const script: Script = { subjects, suites: [latency, { ...starter, runsCode: true, referencesPassing: 2 }] };

  it("is completed, whichever line was the last, and nothing is measured twice", async () => {
    const whole = await finished(script);
    for (let lines = 1; lines < whole.entries.length; lines++) {
      const rest = new ScriptedRun(script);
      const outcome = await rest.start(whole.record(lines));
      const all = [...whole.entries.slice(0, lines), ...rest.entries];
      expect(outcome).toMatchObject({ status: "complete", failures: [] });
      expect(results(all)).toEqual(results(whole.entries));
      expect(rest.entries[0]?.type).toBe("resume");
    }
  });

  it("loads no model when only scores are missing", async () => {
    const whole = await finished(script);
    const outputs = whole.entries.findLastIndex(({ type }) => type === "output");
    const rest = new ScriptedRun(script);
    await rest.start(whole.record(outputs + 1));
    expect(rest.events).toEqual(["score q2", "score q2", "close sandbox"]);
  });

  it("is completed by what failed, when that is tried again", async () => {
    const failed = await finished({ ...script, behaviours: { A: { failsAt: "t2" } } });
    const rest = new ScriptedRun(script);
    expect(await rest.start(failed.record())).toMatchObject({ status: "complete", failures: [] });
    const all = [...failed.entries, ...rest.entries];
    expect(results(all)).toEqual(results((await finished(script)).entries));
    expect(isUnfinished(failed.record())).toBe(true);
    expect(isUnfinished({ ...failed.record(), entries: all })).toBe(false);
  });

  it("ends with what is left: what failed in its last part, and what has no score", async () => {
    const failed = await finished({ ...script, behaviours: { A: { failsAt: "t2" } } });
    expect(failed.entries.at(-1)).toMatchObject({ status: "complete", left: { failures: 2, unscored: 0 } });
    const rest = new ScriptedRun(script);
    await rest.start(failed.record());
    expect(rest.entries.at(-1)).toMatchObject({ status: "complete", left: { failures: 0, unscored: 0 } });
  });

  it("says of whom scores are missing when running code is not allowed the second time", async () => {
    const whole = await finished(script);
    const outputs = whole.entries.findLastIndex(({ type }) => type === "output");
    const rest = new ScriptedRun({ ...script, consent: null });
    const { failures } = await rest.start(whole.record(outputs + 1));
    expect(failures.map(({ subject, suite, code }) => [subject, suite, code])).toEqual([
      ["A", "starter", "sandbox/unavailable"],
      ["B", "starter", "sandbox/unavailable"],
    ]);
    expect(rest.entries.at(-1)).toMatchObject({ left: { failures: 2, unscored: 2 } });
  });

  it("has something to do while an answer has no score", async () => {
    const whole = await finished(script);
    const entries = whole.entries.filter((entry) => entry.type !== "score" || entry.task !== "q2");
    expect(isUnfinished(whole.record())).toBe(false);
    expect(isUnfinished({ ...whole.record(), entries })).toBe(true);
  });

  it("goes on after a cancel", async () => {
    const begun = new ScriptedRun(script);
    begun.onEvent = (event) => event === "B t2" && begun.control.cancel();
    await begun.start();
    const rest = new ScriptedRun(script);
    await rest.start(begun.record());
    expect(results([...begun.entries, ...rest.entries])).toEqual(results((await finished(script)).entries));
  });

  it("is warned of when the machine is another", async () => {
    const whole = await finished(script);
    const rest = new ScriptedRun({ ...script, environment: { cpu: "another" } });
    await rest.start(whole.record(5));
    expect(rest.of("warning")).toMatchObject([
      { code: "resumed", message: expect.stringContaining("cpu: a processor, now another") },
    ]);
  });

  it("is not mixed with another model", async () => {
    const whole = await finished(script);
    const rest = new ScriptedRun({ ...script, behaviours: { A: { facts: { sha256: "1".repeat(64) } } } });
    const { failures } = await rest.start(whole.record(6));
    expect(failures).toMatchObject([{ subject: "A", suite: null, code: "record/invalid" }]);
    expect(failures[0]?.message).toContain(`has the hash ${"1".repeat(64)}, and had ${"0".repeat(64)}`);
    expect(results(rest.entries).some((result) => / A /.test(result))).toBe(false);
    expect(rest.events.slice(0, 3)).toEqual(["open A", "unload A", "open B"]);
  });

  it("is warned of when a subject runs otherwise, or data have changed", async () => {
    const data = { name: "d", sha256: "a".repeat(64), rows: 1, source: "shipped" };
    const suites = [latency, { ...starter, dataset: data }];
    const whole = await finished({ subjects, suites });
    const facts = { mode: "exact", placement: "1 layers on CUDA0" };
    const other = [latency, { ...starter, dataset: { ...data, sha256: "b".repeat(64) } }];
    const rest = new ScriptedRun({ subjects, suites: other, behaviours: { B: { facts } } });
    await rest.start(whole.record(6));
    expect(rest.of("failure")).toEqual([]);
    expect(rest.of("warning").map(({ code, subject, message }) => [code, subject, message])).toEqual([
      ["other-data", null, expect.stringContaining(`had the hash ${"a".repeat(64)} when the run began, now ${"b"}`)],
      ["resumed", "B", expect.stringContaining("mode: dense, now exact; placement: 32 layers on CPU, now 1 layers")],
    ]);
  });

  it("is not mixed with other questions", async () => {
    const whole = await finished({ subjects, suites: [latency] });
    const rest = new ScriptedRun({ subjects, suites: [{ ...latency, promptsSha256: "other" }] });
    expect(await rest.start(whole.record(5))).toMatchObject({
      failures: [
        { subject: "A", suite: "latency", code: "record/invalid" },
        { subject: "B", suite: "latency", code: "record/invalid" },
      ],
    });
  });
});
