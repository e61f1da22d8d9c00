import { describe, expect, it } from "vitest";
import type {
  OutputEntry,
  RecordEntry,
  RunEntry,
  RunRecord,
  ScoreEntry,
} from "../../../../src/benchmark/record/entries.ts";
import { parseRecord } from "../../../../src/benchmark/record/parse.ts";
import { compareAll } from "../../../../src/benchmark/report/compare.ts";
import { recommend } from "../../../../src/benchmark/report/recommend.ts";
import { describeState } from "../../../../src/benchmark/report/state.ts";
import { type RunSummary, type SubjectSummary, summarize } from "../../../../src/benchmark/report/summary.ts";
import { qualityTable, reportTables } from "../../../../src/benchmark/report/tables.ts";
import { paretoFront } from "../../../../src/benchmark/statistics/pareto.ts";
import type { SubjectDefinition, SubjectFacts } from "../../../../src/benchmark/subject.ts";
import type { SuiteId } from "../../../../src/benchmark/suite.ts";
import {
  exampleEntries,
  exampleEnvironment,
  exampleFacts,
  exampleOutput,
  exampleRecord,
  exampleRun,
  exampleSuites,
  recordText,
} from "../../../support/benchmarkRecord.ts";

const summary = summarize(exampleRecord());

function subject(id: string, { subjects }: RunSummary = summary): SubjectSummary {
  const found = subjects.find((each) => each.id === id);
  if (!found) throw new Error(`no subject ${id}`);
  return found;
}

function summaryOf(change: (entry: RecordEntry) => RecordEntry | null): RunSummary {
  const entries = exampleEntries()
    .map(change)
    .filter((entry) => entry !== null);
  return summarize(parseRecord(recordText(entries)));
}

const outputs = (...changes: Partial<OutputEntry>[]) => {
  const start = exampleEntries(1).filter(({ type }) => type === "run" || type === "subject" || type === "suite");
  return summarize(parseRecord(recordText([...start, ...changes.map(exampleOutput)])));
};

describe("figures of speed", () => {
  it("are read from the samples, without warm-ups and without what was disturbed", () => {
    const { speed } = outputs(
      { isWarmUp: true, ttftMs: 9000, totalMs: 90_000 },
      { overlaps: 1, ttftMs: 5000, totalMs: 50_000 },
      {
        ttftMs: 100,
        totalMs: 1090,
        tokenTimes: Array.from({ length: 100 }, (_, token) => 1000 + 100 * token),
        joules: 50,
      },
    ).subjects[0] as SubjectSummary;
    expect(speed).toHaveLength(1);
    expect(speed[0]?.all).toMatchObject({
      samples: 1,
      disturbed: 1,
      ttftMs: { typical: 100 },
      tpotMs: { typical: 10 },
      e2e25Ms: { typical: 340 },
      e2e50Ms: { typical: 590 },
      e2e100Ms: { typical: 1090 },
      joulesPerToken: 0.5,
    });
  });

  it("take the time per token from tokens, as text may come later than the first of them", () => {
    // 100 tokens from 100 ms on, every 10 ms; the first 5 have no text.
    const times = Array.from({ length: 100 }, (_, token) => 1000 + 100 * token);
    const [own] = outputs({ ttftMs: 150, totalMs: 1200, tokenTimes: times }).subjects;
    expect(own?.speed[0]?.all).toMatchObject({
      ttftMs: { typical: 150 },
      firstTokenMs: { typical: 100 },
      tpotMs: { typical: 10 },
    });
    const chunks = { ttftMs: 150, totalMs: 1140, tokenTimes: [1500, 11_400] };
    expect(outputs(chunks).subjects[0]?.speed[0]?.all).toMatchObject({ firstTokenMs: null, tpotMs: { typical: 10 } });
  });

  it("know no time of a token where a server sent chunks that are none", () => {
    const chunks = { tokenTimes: [1000, 2000, 3000], generatedTokens: 100 };
    expect(outputs(chunks).subjects[0]?.headline?.e2e25Ms).toBeNull();
  });

  it("know no time of a token where the answers to one of the prompts do not tell it", () => {
    const times = Array.from({ length: 100 }, (_, token) => 1000 + 100 * token);
    const [own] = outputs({ tokenTimes: times }, { task: "prompt-512", tokenTimes: [1000, 2000] }).subjects;
    expect(own?.speed[0]?.all).toMatchObject({ e2e25Ms: null, ttftMs: { count: 2 } });
    expect(own?.speed[0]?.tasks[0]?.figures.e2e25Ms).toMatchObject({ typical: 340 });
  });

  it("have no time per token for a single one", () => {
    const single = { generatedTokens: 1, ttftMs: 10, totalMs: 10 };
    expect(outputs(single).subjects[0]?.headline?.tpotMs).toBeNull();
  });

  it("are typical of prompts of several lengths, and keep what comes after a rest apart", () => {
    const times = [100, 100, 100, 900, 900].map((ttftMs, repetition) => ({
      ttftMs,
      repetition,
      task: ttftMs === 100 ? "prompt-64" : "prompt-1024",
    }));
    const { speed } = outputs(...times, { task: "idle-256", ttftMs: 5000 }).subjects[0] as SubjectSummary;
    expect(speed[0]?.all).toMatchObject({ samples: 5, ttftMs: { typical: 500, count: 5 } });
    expect(speed[0]?.tasks.map(({ task, figures }) => [task, figures.ttftMs?.typical])).toEqual([
      ["prompt-64", 100],
      ["prompt-1024", 900],
      ["idle-256", 5000],
    ]);
  });

  it("stand beside others for the prompts that all were asked", () => {
    const prompt = (task: string, subject: string, ttftMs: number) => ({ task, subject, ttftMs });
    const two = outputs(
      prompt("prompt-64", "coder-dense", 100),
      prompt("prompt-1024", "coder-dense", 900),
      prompt("prompt-64", "70b-2", 200),
      { subject: "ollama", task: "prompt-1024", isWarmUp: true },
    );
    expect(two.sharedPrompts).toEqual(["prompt-64"]);
    expect(subject("coder-dense", two).speed[0]?.all.ttftMs?.typical).toBe(500);
    expect(subject("coder-dense", two).headline?.ttftMs?.typical).toBe(100);
    expect(subject("70b-2", two).headline?.ttftMs?.typical).toBe(200);
    expect(subject("ollama", two).headline).toBeNull();
    const speed = reportTables(two).find(({ title }) => title === "Speed");
    expect(speed?.notes).toContain("70b, 2 of 80 layers has no samples of prompt-1024; its row is of the others.");
    expect(speed?.notes).toContainEqual(expect.stringMatching(/compared by what all were asked: prompt-64\.$/));
    const apart = outputs(prompt("prompt-64", "coder-dense", 100), prompt("prompt-1024", "ollama", 900));
    expect(apart.sharedPrompts).toEqual([]);
    expect(subject("ollama", apart).headline?.ttftMs?.typical).toBe(900);
  });

  it("have a gain of the prompts that all were asked, and of none after a rest", () => {
    const taken = (subject: string, task: string, msPerToken: number) => {
      const tokenTimes = Array.from({ length: 100 }, (_, token) => 1000 + 10 * msPerToken * token);
      return { subject, task, tokenTimes };
    };
    const compared = outputs(
      taken("coder-dense", "prompt-64", 20),
      taken("coder-exact", "prompt-64", 10),
      ...["prompt-512", "idle-256"].flatMap((task) => [taken("coder-dense", task, 90), taken("coder-exact", task, 10)]),
      taken("ollama", "prompt-64", 20),
    );
    expect(subject("coder-exact", compared).gain?.measured).toEqual({
      count: 1,
      value: expect.closeTo(2, 9),
      interval: null,
    });
  });

  it("tell what is read per second, and whether that was counted or estimated", () => {
    expect(subject("coder-dense").headline).toMatchObject({
      bytesPerToken: 4e9,
      isBytesPerTokenEstimated: true,
      bytesPerSecond: expect.closeTo(40e9, -3),
      bandwidthShare: expect.closeTo(1, 6),
    });
    expect(subject("coder-exact").headline).toMatchObject({
      bytesPerToken: 1.5e9,
      isBytesPerTokenEstimated: false,
      activeShare: expect.closeTo(0.11, 9),
      bandwidthShare: null,
    });
    expect(subject("ollama").headline).toMatchObject({ bytesPerToken: null, bytesPerSecond: null });
  });

  it("stand beside the most that the bytes allow", () => {
    expect(subject("coder-dense").gain).toEqual({ against: "f16", ceiling: 3.5, measured: null });
    expect(subject("coder-exact").gain).toMatchObject({
      against: "Coder 7B, dense",
      ceiling: expect.closeTo(4 / 1.5, 6),
      measured: { value: expect.closeTo(2, 6), count: 58 },
    });
    expect(subject("coder-dense").bytesPerWeight).toBeCloseTo(4 / 7, 9);
  });
});

describe("computed subjects", () => {
  it("grow in a straight line from two numbers of layers to all", () => {
    const whole = subject("70b-q4_0");
    expect(whole).toMatchObject({ computedFrom: ["70b-2", "70b-6"], isPart: false, method: "dense" });
    // 30 ms for 2 layers and 70 ms for 6: 10 ms each and 10 ms besides.
    expect(whole.headline?.tpotMs).toMatchObject({ typical: expect.closeTo(810, 6), p50: null, mean: null });
    expect(whole.headline?.decode?.typical).toBeCloseTo(1000 / 810, 6);
    expect(whole.facts).toMatchObject({
      placement: "as if all 80 layers were on CPU",
      fileBytes: 40_800_000_000,
      residentBytes: 41_000_000_000,
      // 0.5 GB of weights and 50 MB of KV cache in each layer; what a prompt is computed in serves all.
      gpuMemory: [{ device: "CUDA0", weightBytes: 40e9, kvBytes: 4e9, computeBytes: 1e8, hotBytes: 0 }],
      parameterCount: 7e10,
    });
    expect(subject("70b-2")).toMatchObject({ isPart: true, bytesPerWeight: null, gain: null, isOnSizeFront: false });
  });

  const placed = (few: string, many: string) =>
    summaryOf((entry) => {
      if (entry.type !== "subject" || !entry.subject.startsWith("70b")) return entry;
      const placement = entry.subject === "70b-2" ? few : many;
      return { ...entry, facts: { ...entry.facts, placement } };
    });

  it("are as if all layers were where the measured ones were, and say what no GPU here could hold", () => {
    const onGpu = placed("2 layers on CUDA0", "6 layers on CUDA0");
    const whole = subject("70b-q4_0", onGpu);
    expect(whole.facts).toMatchObject({ placement: "as if all 80 layers were on CUDA0", fitsInVram: false });
    // What a GPU reads is no share of what the memory of the processor gives.
    expect(whole.headline).toMatchObject({ bytesPerSecond: expect.any(Number), bandwidthShare: null });
    expect(onGpu.warnings.at(-1)).toMatchObject({
      subject: "70b-q4_0",
      message: "It would take 44.1 GB on GPUs that have 24.0 GB: its figures are those of more memory.",
    });
  });

  it.each([
    ["2 layers on CUDA0", "6 layers on CPU", "2 layers ran on CUDA0, 6 on CPU."],
    ["2 layers on CUDA0", "4 layers on CUDA0, 2 layers on CPU", "2 layers ran on CUDA0, 6 on CPU and CUDA0."],
  ])("are none of %s and %s, as these take different times", (few, many, told) => {
    const { subjects, warnings } = placed(few, many);
    expect(subjects.map(({ id }) => id)).not.toContain("70b-q4_0");
    expect(warnings.at(-1)).toMatchObject({ subject: "70b-6", message: expect.stringMatching(`: ${told}$`) });
  });

  it("have no energy per token of answers without one", () => {
    const empty = summaryOf((entry) =>
      entry.type === "output" ? { ...entry, generatedTokens: 0, tokenTimes: [] } : entry,
    );
    expect(subject("70b-q4_0", empty).headline).toMatchObject({ samples: 60, joulesPerToken: null });
  });

  it("are none while one of the two was not measured", () => {
    const cut = summaryOf((entry) => (entry.type === "output" && entry.subject === "70b-6" ? null : entry));
    expect(subject("70b-q4_0", cut).speed).toEqual([]);
    const failed = summaryOf((entry) => ("subject" in entry && entry.subject === "70b-6" ? null : entry));
    expect(failed.subjects.map(({ id }) => id)).not.toContain("70b-q4_0");
  });
});

describe("quality", () => {
  it("counts what was right and what went wrong", () => {
    expect(subject("coder-dense").quality[0]).toMatchObject({
      suite: "starter",
      correct: { count: 40, value: 0.75, method: "Wilson" },
      measures: { "exact-match": 0.5 },
      truncated: 1,
      timeouts: 1,
      syntaxErrors: 0,
      outOfTime: 0,
    });
    expect(subject("coder-dense").quality[1]).toMatchObject({ correct: { count: 12, method: "Wilson by problem" } });
    expect(subject("ollama").quality).toEqual([]);
  });

  it("of several samples of a task is told as pass@k, for as many as there are", () => {
    // 10 samples of each of 4 tasks, of which 0, 1, 5 and 10 are right.
    const [score] = exampleEntries(1).filter((entry) => entry.type === "score");
    if (!score) throw new Error("the example has no scores");
    const samples = [0, 1, 5, 10].flatMap((right, task) =>
      Array.from({ length: 10 }, (_, repetition): RecordEntry => {
        const own = { ...score.score, isCorrect: repetition < right };
        return { ...score, task: `starter/${task}`, cluster: `starter/${task}`, repetition, score: own };
      }),
    );
    const start = exampleEntries(1).filter(({ type }) => type === "run" || type === "subject" || type === "suite");
    const sampled = summarize(parseRecord(recordText([...start, ...samples])));
    expect(sampled.subjects[0]?.quality[0]?.passAtK).toEqual({ "pass@1": 0.4, "pass@10": 0.75 });
    expect(qualityTable(sampled).columns.map(({ title }) => title)).toContain("pass@10");
    expect(subject("coder-dense").quality[0]?.passAtK).toEqual({});
  });

  it("takes the share of a measure among the samples that have it", () => {
    const kinds = summaryOf((entry) => {
      if (entry.type !== "score") return entry;
      const kind = Number(entry.task.split("/")[1]) < 10 ? "body" : "line";
      return { ...entry, score: { ...entry.score, measures: { [kind]: entry.score.isCorrect } } };
    });
    // Three of four are right: 7 of the first 10, 23 of the other 30.
    expect(subject("coder-dense", kinds).quality[0]?.measures).toEqual({ body: 0.7, line: 23 / 30 });
  });

  it("tells how long a usable line took apart from whole answers, of lines that ended and are not empty", () => {
    const timed: Readonly<Record<string, Partial<OutputEntry>>> = {
      "starter/0": { totalMs: 100 },
      "starter/1": { totalMs: 300, stopReason: "end" },
      "starter/2": { totalMs: 9000, stopReason: "tokens" },
      "starter/3": { totalMs: 9000, stopReason: "time" },
      "starter/4": { totalMs: 1, text: "  " },
      "starter/5": { totalMs: 9000, overlaps: 1 },
    };
    const mixed = summaryOf((entry) => {
      if (entry.type === "output" && entry.suite === "starter")
        return { ...entry, stopReason: "lines", ...(timed[entry.task] ?? { totalMs: 2000 }) };
      if (entry.type !== "score" || entry.suite !== "starter") return entry;
      const kind = entry.task in timed ? "line" : "body";
      return { ...entry, score: { ...entry.score, measures: { [kind]: entry.score.isCorrect } } };
    });
    expect(subject("coder-dense", mixed).quality).toMatchObject([
      { suite: "starter", usableLineMs: { count: 2, typical: 200 }, totalMs: { count: 34, typical: 2000 } },
      { suite: "infill-single", usableLineMs: { count: 11, typical: 1500 }, totalMs: null },
    ]);
    const { columns, rows, notes } = qualityTable(mixed);
    expect(columns.slice(-2).map(({ title }) => title)).toEqual(["Usable line", "Whole answer"]);
    expect([rows[0], rows[2]].map((row) => row?.slice(-2))).toEqual([
      ["200 ms", expect.stringMatching(/^2.00 s/)],
      [expect.stringMatching(/^1.50 s/), ""],
    ]);
    expect(notes).toContainEqual(expect.stringContaining("Usable line: "));
  });

  it("is compared problem by problem with the dense subject of the same file", () => {
    expect(summary.comparisons).toMatchObject([
      {
        suite: "starter",
        subject: "coder-exact",
        against: "coder-dense",
        basis: "file",
        count: 40,
        lost: ["starter/1"],
        won: ["starter/0"],
        difference: 0,
        pValue: 1,
      },
      // Three rows are of each problem; in one of the four a row was lost and another won.
      { suite: "infill-single", count: 12, pValue: 1 },
    ]);
  });
});

describe("what a subject is compared with", () => {
  const scoresOf = (...ids: string[]) =>
    ids.flatMap((id) =>
      exampleEntries(1).flatMap((entry) =>
        entry.type === "score" && entry.subject === "coder-dense" && entry.suite === "starter"
          ? [{ ...entry, subject: id }]
          : [],
      ),
    );
  const one = (id: string, facts: Partial<SubjectFacts>) => {
    const whole = { ...exampleFacts, ...facts };
    return { id, facts: whole, method: whole.method };
  };
  const pairs = (...subjects: ReturnType<typeof one>[]) =>
    compareAll(exampleSuites, subjects, scoresOf(...subjects.map(({ id }) => id))).map(
      ({ subject, against, basis }) => [subject, against, basis],
    );

  it("is the dense one of its file, else of its size, else the first, and no pair is told twice", () => {
    const small = one("small", { parameterCount: 1e9, sha256: "a" });
    const dense = one("dense", { sha256: "b" });
    const exact = one("exact", { sha256: "b", mode: "exact", method: "hot/cold" });
    const gptq = one("gptq", { sha256: "c", method: "GPTQ" });
    const server = one("server", { sha256: null, parameterCount: null, mode: null, method: "server" });
    expect(pairs(small, dense, exact, gptq, server)).toEqual([
      ["dense", "small", "first"],
      ["exact", "dense", "file"],
      ["gptq", "dense", "shape"],
      ["server", "small", "first"],
    ]);
    expect(pairs(exact, dense)).toEqual([["exact", "dense", "file"]]);
  });

  it("is told with the tasks that flipped", () => {
    const flips = reportTables(summary).find(({ title }) => title === "Flips");
    expect(flips?.rows[0]).toEqual(["Starter set", "Coder 7B, exact", "Coder 7B, dense", "starter/1", "starter/0"]);
  });
});

describe("the state of a run", () => {
  it("is what its last line says", () => {
    expect(summary).toMatchObject({ status: "complete", resumes: 1 });
    expect(summaryOf((entry) => (entry.type === "end" ? null : entry)).status).toBe("unfinished");
    expect(summary.left).toEqual({ failures: 1, unscored: 0 });
  });

  it.each([
    ["complete", { failures: 0, unscored: 0 }, "complete"],
    ["complete", { failures: 1, unscored: 0 }, "complete but for 1 failure"],
    ["complete", { failures: 2, unscored: 1 }, "complete but for 2 failures and 1 answer without a score"],
    ["cancelled", { failures: 2, unscored: 1 }, "cancelled"],
    ["unfinished", { failures: 0, unscored: 0 }, "not finished"],
  ] as const)("%s with %o left is told as: %s", (status, left, told) => {
    expect(describeState(status, left)).toBe(told);
  });
});

describe("the failures of a run that was resumed", () => {
  const failure = (suite: SuiteId | null, message: string, subject = "coder-dense"): RecordEntry => {
    return { type: "failure", atMs: 0, subject, suite, code: "server/failed", message };
  };
  const resume: RecordEntry = {
    type: "resume",
    atMs: 0,
    resumedAt: "2026-11-22T22:00:00.000Z",
    environment: exampleEnvironment,
  };
  const isReplaced = (entry: RecordEntry) => entry.type === "failure" || entry.type === "resume";
  /** The example with these entries in the middle, and without its own failure. */
  const failuresAfter = (...inserted: RecordEntry[]) => {
    const entries: readonly RecordEntry[] = exampleEntries(2).filter((entry) => !isReplaced(entry));
    const record = { run: entries[0] as RunEntry, entries: entries.toSpliced(-1, 0, ...inserted), isTorn: false };
    const { failures, failuresMadeGood } = summarize(record);
    return { open: failures.map(({ message }) => message), madeGood: failuresMadeGood };
  };

  it("are those whose answers are missing still", () => {
    const asked = [failure("latency", "late"), failure("starter", "not there", "ollama")];
    expect(failuresAfter(...asked)).toEqual({ open: ["late", "not there"], madeGood: 0 });
    expect(failuresAfter(...asked, resume)).toEqual({ open: ["not there"], madeGood: 1 });
  });

  it("are told once when they happened again, as they were the last time", () => {
    const again = [failure("starter", "first", "ollama"), resume, failure("starter", "second", "ollama")];
    expect(failuresAfter(...again)).toEqual({ open: ["second"], madeGood: 0 });
    expect(failuresAfter(failure(null, "closed", "ollama"), resume, failure("starter", "asked", "ollama"))).toEqual({
      open: ["asked"],
      madeGood: 0,
    });
  });

  it("of a subject that could not be opened are made good when nothing of it is missing", () => {
    expect(failuresAfter(failure(null, "closed"), resume)).toEqual({ open: [], madeGood: 1 });
    expect(failuresAfter(failure(null, "closed", "ollama"), resume)).toEqual({ open: ["closed"], madeGood: 0 });
  });
});

describe("recommend", () => {
  const whole = exampleRecord();
  const changed = (change: (entry: RecordEntry) => RecordEntry | null) => {
    const entries = whole.entries.map(change).filter((entry) => entry !== null);
    return { ...whole, entries };
  };
  const recommended = (record: RunRecord, budgetMs: number) => recommend(record, summarize(record), budgetMs);
  const isScoreOf = (entry: RecordEntry, subject: string): entry is ScoreEntry =>
    entry.type === "score" && entry.subject === subject;

  it("names the best that answers in time, and why, by a suite with tasks enough", () => {
    expect(recommended(whole, 3000)).toEqual({
      subject: "coder-exact",
      reason:
        "Coder 7B, exact writes 25 tokens in 2.16 s and solves 75.0 % of 40 tasks of Starter set: the only one within 3.00 s.",
    });
  });

  it("takes the fastest of those that cannot be told apart, though another has solved one more", () => {
    // Slow for the exact one to be behind by one task of 40.
    const close = changed((entry) =>
      isScoreOf(entry, "coder-exact") && entry.task === "starter/0"
        ? { ...entry, score: { ...entry.score, isCorrect: false } }
        : entry,
    );
    expect(recommended(close, 5000)).toEqual({
      subject: "coder-exact",
      reason:
        "Coder 7B, exact writes 25 tokens in 2.16 s and solves 72.5 % of 40 tasks of Starter set: the fastest of those within 5.00 s that cannot be told from the best, which are also Coder 7B, dense.",
    });
    // Four lost and none won may well be chance, though drawing the tasks again hardly ever shows it.
    const four = changed((entry) => {
      if (!isScoreOf(entry, "coder-exact") || entry.suite !== "starter") return entry;
      const isCorrect = Number(entry.task.split("/")[1]) % 4 !== 0 && !/\/[1235]$/.test(entry.task);
      return { ...entry, score: { ...entry.score, isCorrect } };
    });
    expect(summarize(four).comparisons[0]).toMatchObject({ lost: { length: 4 }, won: [], pValue: 0.125 });
    expect(recommended(four, 5000).subject).toBe("coder-exact");
    const far = changed((entry) =>
      isScoreOf(entry, "coder-exact") ? { ...entry, score: { ...entry.score, isCorrect: false } } : entry,
    );
    expect(recommended(far, 5000)).toMatchObject({
      subject: "coder-dense",
      reason: expect.stringMatching(/: the most of those within 5.00 s\.$/),
    });
  });

  it("names three of many that cannot be told apart, and counts the others", () => {
    const copies = ["a", "b", "c", "d"].map((id) => ({ id, label: `Copy ${id}` }));
    const copied = (entry: RecordEntry): RecordEntry[] => {
      if (entry.type === "run") {
        const [first] = entry.plan.subjects;
        const subjects = [
          ...entry.plan.subjects,
          ...copies.map((copy) => ({ ...first, ...copy }) as SubjectDefinition),
        ];
        return [{ ...entry, plan: { ...entry.plan, subjects } }];
      }
      const isCopied = "subject" in entry && entry.subject === "coder-dense";
      return [entry, ...(isCopied ? copies.map(({ id }) => ({ ...entry, subject: id }) as RecordEntry) : [])];
    };
    const many = { ...whole, entries: whole.entries.flatMap(copied) };
    const [run] = many.entries as readonly RecordEntry[];
    const { reason } = recommended({ ...many, run: run as RunRecord["run"] }, 5000);
    expect(reason).toMatch(/which are also Coder 7B, dense, Copy a, Copy b and 2 others\.$/);
  });

  it("compares by what all answered, of which there must be enough", () => {
    const apart = changed((entry) => {
      if (entry.type !== "score" || entry.suite !== "starter") return entry;
      const isFirst = Number(entry.task.split("/")[1]) < 20;
      return isFirst === (entry.subject === "coder-dense") ? entry : null;
    });
    expect(recommended(apart, 5000)).toEqual({
      subject: null,
      reason: "Only 0 tasks of Starter set were answered by all, too few to compare by.",
    });
  });

  it("recommends no server, however good", () => {
    const served = changed((entry) => (isScoreOf(entry, "coder-exact") ? { ...entry, subject: "ollama" } : entry));
    expect(recommended(served, 5000).subject).toBe("coder-dense");
  });

  it("recommends none when none is fast enough", () => {
    expect(recommended(whole, 100)).toEqual({
      subject: null,
      reason: "None writes 25 tokens within 100 ms; the fastest, Coder 7B, exact, takes 2.16 s.",
    });
  });

  it("names the largest that answers in time where no answers were measured, and says so", () => {
    const unscored = changed((entry) => (entry.type === "score" ? null : entry));
    expect(recommended(unscored, 3000)).toEqual({
      subject: "coder-exact",
      reason:
        "Coder 7B, exact writes 25 tokens in 2.16 s. How good its answers are was not measured; the starter set or HumanEval tells, with 20 tasks or more.",
    });
    // The 70B model would answer in time, too, but only some of its layers fit here.
    expect(recommended(unscored, 60_000)).toMatchObject({
      subject: "coder-exact",
      reason: expect.stringContaining(", the largest of 2 within 60.0 s."),
    });
    const unmeasured = changed((entry) => (entry.type === "output" ? null : entry));
    expect(recommended(unmeasured, 5000)).toEqual({
      subject: null,
      reason: "No speed of a model of this machine has been measured: add the latency sweep.",
    });
  });
});

describe("paretoFront", () => {
  it("keeps what nothing beats, in the order of cost", () => {
    const items = [
      [5, 5],
      [1, 1],
      [2, 3],
      [3, 2],
      [2, 3],
      [4, 3],
    ] as const;
    expect(
      paretoFront(
        items,
        ([cost]) => cost,
        ([, gain]) => gain,
      ),
    ).toEqual([
      [1, 1],
      [2, 3],
      [5, 5],
    ]);
    expect(paretoFront([], Number, Number)).toEqual([]);
  });
});

it("sums up a record of 10,000 outputs in less than a second", () => {
  const record = { run: exampleRun, entries: exampleEntries(1000), isTorn: false };
  const start = process.cpuUsage();
  summarize(record);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(1000);
});
