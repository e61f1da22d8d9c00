import { describe, expect, it } from "vitest";
import { AppError } from "../../../../src/common/errors.ts";
import {
  finished,
  model,
  request,
  results,
  ScriptedRun,
  type SuiteScript,
  shape,
  typing,
} from "../../../support/benchmarkRun.ts";

const latency: SuiteScript = { id: "latency", kind: "speed", tasks: ["t1", "t2"], repetitions: 2 };
const starter: SuiteScript = { id: "starter", kind: "quality", tasks: ["q1", "q2"] };
const subjects = [model("A"), model("B")];
const server = { kind: "server", id: "S", label: "S", api: "ollama", url: "http://x", model: null } as const;

const prompt = { kind: "text", text: "t2" } as const;

const isTurn = (event: string) => /^[AB] /.test(event);

describe("runBenchmark", () => {
  it("lets subjects take turns at every task, and goes through all tasks before the next round", async () => {
    const { events } = await finished({ subjects, suites: [latency] });
    const round = ["A t1", "B t1", "A t2", "B t2"];
    const warmUps = ["A t1", "B t1"];
    expect(events.filter(isTurn)).toEqual(["A t1", ...warmUps, ...round.slice(1), ...round]);
  });

  it("warms every subject up once, and marks it", async () => {
    const run = await finished({ subjects, suites: [latency] });
    const warmUps = run.of("output").filter(({ isWarmUp }) => isWarmUp);
    expect(warmUps.map(({ subject, task }) => [subject, task])).toEqual([
      ["A", "t1"],
      ["B", "t1"],
    ]);
    expect(run.of("output")).toHaveLength(2 + 8);
  });

  it("warms up with a request that nobody measures, which a server may keep", async () => {
    const run = await finished({ subjects: [model("A")], suites: [starter] });
    expect(run.prompts).toEqual(["# Warm-up\nq1", "q1", "q2"]);
    const [warmUp, ...measured] = run.of("output").map(({ requestSha256 }) => requestSha256);
    expect(measured).not.toContain(warmUp);
  });

  it("writes the record from the first line to the last", async () => {
    const run = await finished({ subjects: [model("A")], suites: [{ ...latency, tasks: ["t1"], repetitions: 1 }] });
    expect(run.entries.map(({ type }) => type)).toEqual(["run", "suite", "subject", "output", "output", "end"]);
    expect(run.of("output")[1]).toEqual({
      type: "output",
      suite: "latency",
      subject: "A",
      task: "t1",
      repetition: 0,
      isWarmUp: false,
      requestSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      text: null,
      textSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      stopReason: "tokens",
      promptTokens: 4,
      generatedTokens: 3,
      ttftMs: 10,
      totalMs: 30,
      tokenTimes: [100, 200, 300],
      prefillTokensPerSecond: null,
      decodeTokensPerSecond: null,
      activeShare: null,
      bytesPerToken: null,
      joules: null,
      overlaps: 0,
      atMs: 60,
    });
  });

  it("measures speed before quality, and scores after each task, when nothing is measured", async () => {
    const { events } = await finished({ subjects, suites: [starter, { ...latency, repetitions: 1 }] });
    const after = events.slice(events.lastIndexOf("B t2") + 1);
    expect(after).toEqual([
      ...["A q1", "B q1", "score q1", "score q1"],
      ...["A q2", "B q2", "score q2", "score q2"],
      ...["unload A", "close A", "unload B", "close B"],
    ]);
  });

  it("tells times that never go back, though the clock does", async () => {
    const run = new ScriptedRun({ subjects, suites: [latency] });
    run.onEvent = (event) => {
      if (event === "A t2") run.setClockBack(3_600_000);
    };
    await run.start();
    const times = run.entries.map((entry) => (entry.type === "run" ? 0 : entry.atMs));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const resumed = new ScriptedRun(run.script);
    resumed.setClockBack(3_600_000);
    await resumed.start(run.record(12));
    expect(resumed.of("resume")[0]?.atMs).toBe(times[11]);
  });

  it("keeps texts where they are scored, and only there", async () => {
    const run = await finished({ subjects, suites: [starter, latency] });
    const texts = run.of("output").map(({ suite, text }) => `${suite} ${text}`);
    expect([...new Set(texts)].sort()).toEqual(["latency null", "starter a b c"]);
  });

  it("opens shapes one after another, those of one size together", async () => {
    const script = {
      subjects: [shape("7b-a", "7b"), shape("7b-b", "7b"), shape("13b", "13b")],
      suites: [{ ...latency, id: "sizes" as const }],
    };
    const { events } = await finished(script);
    expect(events.filter((event) => /^(open|close)/.test(event))).toEqual([
      "open 7b-a",
      "open 7b-b",
      "close 7b-a",
      "close 7b-b",
      "open 13b",
      "close 13b",
    ]);
  });

  it("asks shapes for sizes only, and models for everything else", async () => {
    const suites = [latency, { ...latency, id: "sizes" as const }, starter];
    const run = await finished({ subjects: [model("A"), shape("S", "7b")], suites });
    const asked = run.of("output").map(({ suite, subject }) => `${subject} ${suite}`);
    expect([...new Set(asked)].sort()).toEqual(["A latency", "A starter", "S sizes"]);
  });

  it("loads one at a time, by rounds, when there is no room for both", async () => {
    const run = await finished({ subjects, suites: [latency], room: 1 });
    expect(run.events.filter((event) => event.startsWith("open"))).toEqual([
      "open A",
      "open A",
      "open B",
      "open A",
      "open B",
    ]);
    expect(run.of("warning").map(({ code }) => code)).toEqual(["in-turn"]);
    expect(results(run.entries)).toHaveLength(8);
    expect(run.of("failure")).toEqual([]);
  });

  it("finishes quality of one before it loads the other, when there is no room for both", async () => {
    const { events } = await finished({ subjects, suites: [starter], room: 1 });
    const steps = [
      "open A",
      "A q1",
      "A q1",
      "score q1",
      "A q2",
      "score q2",
      "unload A",
      "open B",
      "B q1",
      "B q1",
      "score q1",
      "B q2",
    ];
    expect(events.slice(events.lastIndexOf("open A"), -4)).toEqual(steps);
  });

  it("lets a suite rest a subject before each request", async () => {
    const suites = [{ ...latency, tasks: ["t1"], repetitions: 1, task: { idleMs: 5000 } }];
    const { events } = await finished({ subjects, suites });
    expect(events.slice(2, 8)).toEqual(["A t1", "wait 5000", "A t1", "B t1", "wait 5000", "B t1"]);
  });
});

describe("a run that would measure nothing", () => {
  it.each([
    ["no suite is for its subjects", [shape("S", "7b")], [latency], "latency on Shape S"],
    ["there is no suite", subjects, [], "no suite on Model A, Model B"],
    ["two subjects have one id", [model("A"), model("A")], [latency], 'the plan has "A" twice'],
    ["a suite is there twice", subjects, [latency, latency], 'the plan has "latency" twice'],
    ["it has no rounds", subjects, [{ ...latency, repetitions: 0 }], "latency: 0 repetitions; it must be 1 to 1000"],
    ["it has rounds without end", subjects, [{ ...latency, repetitions: 1e15 }], "it must be 1 to 1000"],
  ])("is refused before it has a record: %s", async (_, who, suites, message) => {
    const run = new ScriptedRun({ subjects: who, suites });
    await expect(run.start()).rejects.toMatchObject({
      code: "request/invalid",
      message: expect.stringContaining(message),
    });
    expect(run.entries).toEqual([]);
  });
});

describe("what else is measured", () => {
  it("replays typing on models, after what is timed and before what is scored", async () => {
    const keystrokes: SuiteScript = { id: "keystrokes", kind: "typing", tasks: ["k1"] };
    const run = await finished({ subjects: [model("A"), server], suites: [starter, keystrokes, latency] });
    expect(run.of("typing")).toEqual([
      {
        type: "typing",
        suite: "keystrokes",
        subject: "A",
        task: "k1",
        repetition: 0,
        ...typing,
        atMs: expect.any(Number),
      },
    ]);
    const order = [...new Set(run.events.flatMap((event) => /^A (types|t|q)/.exec(event)?.[1] ?? []))];
    expect(order).toEqual(["t", "types", "q"]);
    const rest = new ScriptedRun(run.script);
    await rest.start(run.record(run.entries.findIndex(({ type }) => type === "typing") + 1));
    expect(rest.of("typing")).toEqual([]);
  });

  it("warms up before typing, too, and records nothing of it", async () => {
    const keystrokes: SuiteScript = { id: "keystrokes", kind: "typing", tasks: ["k1", "k2"] };
    const run = await finished({ subjects, suites: [keystrokes] });
    expect(run.prompts).toHaveLength(2);
    expect(run.events.filter((event) => /^A /.test(event)).map((event) => event.slice(0, 7))).toEqual([
      ...["A for n", "A types", "A types"],
    ]);
    expect(run.of("output")).toEqual([]);
  });

  it("counts the energy of timed generations, where the system tells", async () => {
    const run = await finished({ subjects: [model("A")], suites: [latency, starter], watts: 50 });
    const joules = run.of("output").map(({ suite, joules: each }) => `${suite} ${each?.toFixed(2)}`);
    expect([...new Set(joules)]).toEqual(["latency 1.50", "starter undefined"]);
  });
});

describe("what fails in a run", () => {
  it("leaves out a subject that cannot be opened, and measures the other", async () => {
    const run = new ScriptedRun({ subjects, suites: [latency], behaviours: { A: { openFails: "model/corrupt" } } });
    expect(await run.start()).toEqual({
      runId: "run",
      status: "complete",
      failures: [{ subject: "A", suite: null, code: "model/corrupt", message: "A cannot be opened" }],
    });
    expect(results(run.entries).every((result) => result.includes(" B "))).toBe(true);
    expect(results(run.entries)).toHaveLength(4);
  });

  it("misses an answer that failed, and goes on with the next", async () => {
    const run = await finished({ subjects, suites: [latency, starter], behaviours: { A: { failsAt: "t2" } } });
    expect(results(run.entries).filter((result) => result.includes(" A t"))).toEqual([
      "latency A t1 0",
      "latency A t1 1",
    ]);
    expect(results(run.entries).filter((result) => result.includes("starter A"))).toHaveLength(4);
    expect(results(run.entries).filter((result) => result.includes(" B "))).toHaveLength(4 + 4);
    expect(run.of("failure").map(({ subject, suite, message }) => [subject, suite, message])).toEqual([
      ["A", "latency", "t2: A failed at t2"],
      ["A", "latency", "t2: A failed at t2"],
    ]);
    expect(run.progress.at(-1)).toMatchObject({ phase: "ended", done: 10, total: 10, remainingMs: 0 });
  });

  it("leaves a subject out of a suite after three failures in a row, not of the next", async () => {
    const suites = [{ ...latency, tasks: ["t2", "t2 again"], task: { request: { ...request, prompt } } }, starter];
    const run = await finished({ subjects, suites, behaviours: { A: { failsAt: "t2" } } });
    expect(run.events.filter((event) => event === "A t2")).toHaveLength(3);
    expect(run.of("failure").map(({ message }) => message)).toEqual([
      "t2: A failed at t2",
      "t2 again: A failed at t2",
      "t2: A failed at t2; after 3 failures in a row it is left out",
    ]);
    expect(results(run.entries).filter((result) => result.includes(" A "))).toEqual([
      "score starter A q1 0",
      "score starter A q2 0",
      "starter A q1 0",
      "starter A q2 0",
    ]);
  });

  it.each([
    ["is cut off", { status: 0, errno: "ECONNRESET" }],
    ["has too much to do", { status: 503, errno: null }],
  ])("asks a server that %s again, twice", async (_, details) => {
    const failure = new AppError("server/failed", "for a moment", details);
    const behaviour = { failsAt: "t2", failure };
    const once = await finished({ subjects, suites: [latency], behaviours: { A: { ...behaviour, failures: 2 } } });
    expect(once.of("failure")).toEqual([]);
    expect(once.events.filter((event) => event.startsWith("wait"))).toEqual(["wait 1000", "wait 5000"]);
    expect(results(once.entries)).toHaveLength(8);
    const longer = await finished({ subjects, suites: [latency], behaviours: { A: { ...behaviour, failures: 3 } } });
    expect(longer.of("failure")).toHaveLength(1);
  });

  it("opens a model again whose engine ended, and leaves the others open", async () => {
    const failure = new AppError("engine/exited", "the engine ended");
    const run = await finished({
      subjects,
      suites: [latency],
      behaviours: { A: { failsAt: "t2", failure, failures: 1 } },
    });
    expect(run.events.filter((event) => /^(un|open)/.test(event))).toEqual([
      ...["open A", "open B", "unload A", "open A", "unload A", "unload B"],
    ]);
    expect(results(run.entries)).toHaveLength(7);
  });

  it("asks an engine again that was silent for a moment, and misses nothing", async () => {
    const failure = new AppError("engine/unresponsive", "it has not answered for 803 ms");
    const run = await finished({
      subjects,
      suites: [latency],
      behaviours: { A: { failsAt: "t2", failure, failures: 1 } },
    });
    expect(run.of("failure")).toEqual([]);
    expect(results(run.entries)).toHaveLength(8);
    expect(run.events.filter((event) => /^(open|unload|wait)/.test(event))).toEqual([
      ...["open A", "open B", "wait 1000", "unload A", "unload B"],
    ]);
  });

  it("leaves a model out whose file is another one when it is opened again", async () => {
    const files = ["1", "2"].map((digit) => digit.repeat(64));
    const behaviour = {
      ...{ failsAt: "t2", failure: new AppError("engine/exited", "the engine ended"), failures: 1 },
      facts: {
        get sha256() {
          return files.shift() ?? null;
        },
      },
    };
    const run = await finished({ subjects, suites: [latency], behaviours: { A: behaviour } });
    expect(run.of("failure").at(-1)).toMatchObject({
      subject: "A",
      suite: null,
      message: expect.stringMatching(/^Model A has the hash 2{64}, and had 1{64} when the run began; start a new run$/),
    });
    expect(results(run.entries).filter((step) => step.includes(" A "))).toEqual(["latency A t1 0"]);
  });

  it("leaves out a suite that cannot be prepared, and goes on with the others", async () => {
    const suites = [{ ...starter, prepareFails: "dataset/unavailable" as const }, latency];
    const run = await finished({ subjects, suites });
    expect(run.of("failure").map(({ subject, suite, code }) => [subject, suite, code])).toEqual([
      ["A", "starter", "dataset/unavailable"],
      ["B", "starter", "dataset/unavailable"],
    ]);
    expect(results(run.entries)).toHaveLength(8);
  });

  it.each([
    ["a reference solution does not pass", { referencesPassing: 1 }, {}, "1 of 2 reference solutions passed"],
    ["running code was not allowed", {}, { consent: null }, "which was not allowed"],
    [
      "isolation is reduced and that was not allowed",
      {},
      { isolation: "reduced" },
      "isolation is reduced here (without seccomp)",
    ],
  ] as const)("refuses scores when %s", async (_, suite, more, message) => {
    const run = await finished({ subjects, suites: [{ ...starter, runsCode: true, ...suite }, latency], ...more });
    const failures = run.of("failure");
    expect(failures.map(({ subject, suite: id, code }) => [subject, id, code])).toEqual([
      ["A", "starter", "sandbox/unavailable"],
      ["B", "starter", "sandbox/unavailable"],
    ]);
    expect(failures[0]?.message).toContain(message);
    expect(results(run.entries).some((result) => result.includes("starter"))).toBe(false);
    expect(run.events.filter((event) => event === "close sandbox")).toHaveLength("consent" in more ? 0 : 1);
  });

  it("runs code with reduced isolation when that was allowed, and records it", async () => {
    const script = { subjects, suites: [{ ...starter, runsCode: true, referencesPassing: 2 }] };
    const run = await finished({ ...script, isolation: "reduced", consent: "reduced" });
    expect(run.of("isolation")).toMatchObject([{ consent: "reduced", isolation: { level: "reduced" } }]);
    expect(run.of("selfTest")).toMatchObject([{ result: { total: 2, passed: 2 } }]);
    expect(run.of("score")).toHaveLength(4);
  });
});

describe("what a subject objects to", () => {
  const refuses = { kind: "refused", message: "cannot fill in the middle" } as const;

  it("leaves it out of a suite with a warning, which is no failure", async () => {
    const run = new ScriptedRun({ subjects, suites: [starter], behaviours: { A: { objection: () => refuses } } });
    expect(await run.start()).toMatchObject({ failures: [] });
    expect(run.of("warning")).toMatchObject([
      { code: "refused", subject: "A", message: "It is left out of starter: it cannot fill in the middle." },
    ]);
    expect(run.progress.at(-1)).toMatchObject({ done: 2, total: 2 });
  });

  it("asks another way where the suite has one", async () => {
    const base = new ScriptedRun({ subjects, suites: [latency] });
    const fim = { kind: "fim", prefix: "x", suffix: "y" } as const;
    const task = { request: { ...request, prompt: fim }, fallback: request };
    const objection = ({ prompt }: { prompt: { kind: string } }) => (prompt.kind === "fim" ? refuses : null);
    const run = await finished({ ...base.script, suites: [{ ...latency, task }], behaviours: { A: { objection } } });
    expect([...new Set(run.events.filter(isTurn))].sort()).toEqual(["A def f():", "B fim x"]);
    expect(run.of("warning")).toEqual([]);
  });

  it("measures with a warning what is only limited", async () => {
    const objection = () => ({ kind: "limited", message: "may end early" }) as const;
    const run = await finished({ subjects, suites: [latency], behaviours: { A: { objection } } });
    expect(run.of("warning").map(({ code, subject }) => [code, subject])).toEqual([["limited", "A"]]);
    expect(results(run.entries)).toHaveLength(8);
  });
});

describe("warnings of a run", () => {
  it("tell that servers may have cached the prompts of quality suites", async () => {
    const withoutCache = { ...server, id: "L", api: "llama-server" } as const;
    const run = await finished({ subjects: [model("A"), server, withoutCache], suites: [latency, starter] });
    expect(run.of("warning").map(({ code, subject }) => [code, subject])).toEqual([["server-cache", "S"]]);
  });

  it("count generations that ran beside others", async () => {
    const run = await finished({ subjects, suites: [latency], behaviours: { B: { generation: { overlaps: 1 } } } });
    expect(run.of("warning")).toMatchObject([
      { code: "overlap", subject: "B", message: expect.stringContaining("4 of 4 generations") },
    ]);
  });

  it("tell of a battery and of a slow governor", async () => {
    const run = await finished({
      subjects,
      suites: [latency],
      environment: { power: "battery", governor: "powersave" },
    });
    expect(run.of("warning").map(({ code }) => code)).toEqual(["battery", "governor"]);
  });
});
