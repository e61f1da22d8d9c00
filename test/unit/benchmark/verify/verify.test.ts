import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OutputEntry, RecordEntry, ScoreEntry } from "../../../../src/benchmark/record/entries.ts";
import { sha256 } from "../../../../src/benchmark/record/hashes.ts";
import { writeBundle } from "../../../../src/benchmark/report/bundle.ts";
import { reportVersion } from "../../../../src/benchmark/report/markdown.ts";
import type { Generation, Subject, SubjectDefinition } from "../../../../src/benchmark/subject.ts";
import type { GenerateTask, PreparedSuite, SuiteChoice } from "../../../../src/benchmark/suite.ts";
import type { VerifyLevel } from "../../../../src/benchmark/verify/result.ts";
import { describeVerification, type VerifyDeps, verify } from "../../../../src/benchmark/verify/verify.ts";
import { AppError } from "../../../../src/common/errors.ts";
import type { Sandbox, VerdictOutcome } from "../../../../src/sandbox/sandbox.ts";
import {
  answers,
  exampleEntries,
  exampleFacts,
  exampleRequest,
  exampleSuites,
  recordText,
} from "../../../support/benchmarkRecord.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

const entries = exampleEntries(2);
const made = mkdtempSync(path.join(os.tmpdir(), "hp-"));
let bundle: string;
let record: string;

beforeAll(() => makeBundle(path.join(made, "bundle"), entries));
afterAll(() => rmSync(made, { recursive: true }));
beforeEach(() => {
  bundle = path.join(temporaryFolder(), "bundle");
  record = path.join(bundle, "record.jsonl");
  cpSync(path.join(made, "bundle"), bundle, { recursive: true });
});

async function makeBundle(folder: string, lines: readonly RecordEntry[]): Promise<void> {
  const file = `${folder}.jsonl`;
  writeFileSync(file, recordText(lines));
  await writeBundle(folder, file);
}

/** What a forger makes who knows how everything is hashed. */
async function forge(change: (entry: RecordEntry) => RecordEntry | null): Promise<void> {
  rmSync(bundle, { recursive: true });
  await makeBundle(
    bundle,
    entries.map(change).filter((entry) => entry !== null),
  );
}

function edit(name: string, change: (text: string) => string): void {
  const file = path.join(bundle, name);
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

/** Gives every file of the bundle the hash it has now. */
function rehash(): void {
  edit("bundle.json", (text) => {
    const manifest = JSON.parse(text) as { files: Record<string, string> };
    for (const name of Object.keys(manifest.files))
      manifest.files[name] = sha256(readFileSync(path.join(bundle, name)));
    return JSON.stringify(manifest);
  });
}

const lines = () => readFileSync(record, "utf8").split("\n");
const isOf = (task: string) => (entry: RecordEntry) =>
  (entry.type === "output" || entry.type === "score") && entry.task === task && entry.subject === "coder-dense";
const changeOutput = (task: string, change: (output: OutputEntry) => OutputEntry) =>
  forge((entry) => (entry.type === "output" && isOf(task)(entry) ? change(entry) : entry));
const changeScore = (task: string, change: (score: ScoreEntry["score"]) => ScoreEntry["score"]) =>
  forge((entry) => (entry.type === "score" && isOf(task)(entry) ? { ...entry, score: change(entry.score) } : entry));

const outcomes = new Map<string, VerdictOutcome>(
  Object.entries(answers).map(([outcome, code]) => [code, outcome as VerdictOutcome]),
);

const sandbox: Sandbox = {
  isolation: { place: "child", level: "full", layers: [], interpreter: "scripted" },
  run: async (source) => ({
    outcome: outcomes.get(source.split(" #")[0] ?? "") ?? "crashed",
    message: null,
    wallMs: 1,
  }),
  dispose: () => {},
};

async function prepareSuite({ id }: SuiteChoice): Promise<PreparedSuite> {
  const info = exampleSuites.find((suite) => suite.id === id);
  if (!info) throw new AppError("request/invalid", `there is no suite ${id}`);
  const ids =
    id === "latency"
      ? ["prompt-64", "prompt-512"]
      : Array.from({ length: info.taskCount }, (_, task) => `${id}/${task}`);
  const tasks = ids.map(
    (task): GenerateTask => ({ kind: "generate", id: task, cluster: task, request: exampleRequest(task) }),
  );
  return {
    info,
    tasks,
    request: ({ request }) => request,
    runsCode: info.kind === "quality",
    selfTest: null,
    score: async (task, { text }, place) => {
      const { outcome } = (await place?.run(text)) ?? { outcome: "crashed" as const };
      const measures = { "exact-match": Number(task.id.split("/")[1]) % 2 === 1 };
      return { isCorrect: outcome === "passed", verdict: outcome, measures, detail: null };
    },
  };
}

/** Writes what the record says that it wrote. */
function repeatingSubject(definition: SubjectDefinition): Subject {
  const own = entries.filter((entry) => entry.type === "output").filter(({ subject }) => subject === definition.id);
  return {
    definition,
    open: async () => ({ ...exampleFacts, sha256: definition.kind === "server" ? null : exampleFacts.sha256 }),
    objection: () => null,
    async generate({ prompt }): Promise<Generation> {
      const task = prompt.kind === "text" ? prompt.text.slice(2) : "";
      const output = own.find((entry) => entry.task === task && !entry.isWarmUp);
      if (!output) throw new AppError("internal/bug", `${task} was not asked`);
      return {
        ...output,
        text: output.text ?? "",
        totalMs: output.totalMs / 2,
        ttftMs: output.ttftMs / 2,
        tokenTimesMs: (output.tokenTimes ?? []).map((tenths) => tenths / 20),
        stats: null,
      };
    },
    unload: async () => {},
    close: async () => {},
  };
}

const deps: VerifyDeps = {
  prepareSuite,
  createSandbox: async () => sandbox,
  createSubject: async (definition) => repeatingSubject(definition),
  now: () => new Date("2026-11-23T08:00:00.000Z"),
  machine: "Another Processor, Linux",
};

async function check(level: VerifyLevel, change: Partial<VerifyDeps> = {}, limit: number | null = null) {
  const sample = { limit, signal: new AbortController().signal, onProgress: () => {} };
  const result = await verify(record, level, { ...deps, ...change }, sample);
  const failed = result.levels.flatMap(({ level: at, checks }) =>
    checks.filter(({ holds }) => !holds).map((each) => ({ at, ...each })),
  );
  expect(result.holds).toBe(failed.length === 0);
  return { result, failed };
}

const detailsOf = async (level: VerifyLevel) => (await check(level)).failed.map(({ detail }) => detail);

describe("verify", () => {
  it("finds that an honest bundle holds at all levels, and says where and when", async () => {
    const { result, failed } = await check(3);
    expect(failed).toEqual([]);
    const text = describeVerification(result);
    expect(text).toContain(
      "Verified at level 3: 20261122-203000-3fa9c1, 2026-11-23T08:00:00.000Z, on Another Processor, Linux",
    );
    expect(text).toContain("Coder 7B, dense writes the same texts: 54 texts; 2.00 times as fast as in the record");
    expect(text).toContain("Starter set: outputs are worth their scores: 80 outputs");
  });

  it("says what a forger could still have done", async () => {
    const said = await Promise.all(
      ([1, 2, 3] as const).map(async (level) => describeVerification((await check(level)).result)),
    );
    expect(said[0]).toMatch(/\nWhoever makes up a whole record passes level 1: .*\.$/);
    expect(said[1]).toMatch(/\nWhoever makes up texts with their scores passes level 2: .*\.$/);
    expect(said[2]).toMatch(/\nSpeeds can only be compared: .*\.$/);
  });

  it("checks the record that it was given, and not the one beside it", async () => {
    const other = path.join(bundle, "copy.jsonl");
    writeFileSync(other, readFileSync(record, "utf8").replace('"ttftMs":380,', '"ttftMs":370,'));
    const sample = { limit: null, signal: new AbortController().signal, onProgress: () => {} };
    const { holds, levels } = await verify(other, 1, deps, sample);
    expect(holds).toBe(false);
    expect(levels[0]?.checks[0]?.detail).toMatch(/^line 15 was changed/);
  });

  it("checks the folder of a run, which has no reports yet", async () => {
    for (const name of ["bundle.json", "report.md", "report.html", "plan.json", "command.txt", "reproduce.sh"])
      rmSync(path.join(bundle, name));
    expect((await check(2)).failed).toEqual([]);
  });

  it("asks subjects without fill-in-the-middle by the fallback, as their round had it", async () => {
    const withFallback = async (choice: SuiteChoice): Promise<PreparedSuite> => {
      const suite = await prepareSuite(choice);
      if (choice.id !== "latency") return suite;
      const tasks = suite.tasks.map((task): GenerateTask => {
        const request = { ...exampleRequest(task.id), prompt: { kind: "fim", prefix: "a", suffix: "b" } as const };
        return {
          kind: "generate",
          id: task.id,
          cluster: task.id,
          request,
          fallback: { ...exampleRequest(task.id), seed: 0 },
        };
      });
      return { ...suite, tasks, request: ({ request }, repetition) => ({ ...request, seed: repetition + 1 }) };
    };
    expect((await check(3, { prepareSuite: withFallback })).failed).toEqual([]);
  });

  it("looks at as many outputs as it is told to", async () => {
    const { result } = await check(3, {}, 5);
    expect(describeVerification(result)).toMatch(
      /Starter set: outputs are worth their scores: 5 outputs[\s\S]*dense writes the same texts: 12 texts/,
    );
  });
});

describe("a changed record", () => {
  it("is caught when a sample was changed", async () => {
    edit("record.jsonl", (text) => text.replace('"ttftMs":380,', '"ttftMs":370,'));
    rehash();
    const [chain, report] = await detailsOf(1);
    expect(chain).toMatch(/^line 15 was changed/);
    expect(report).toMatch(/^report.md, line \d+$/);
  });

  it.each(["record.jsonl", "report.md", "report.html", "plan.json", "command.txt", "reproduce.sh"])(
    "is caught when %s was",
    async (name) => {
      edit(name, (text) => `${text} `);
      expect(await detailsOf(1)).toContain(`${name} was changed`);
    },
  );

  it("is caught when a report says something else, with a hash that fits", async () => {
    edit("report.md", (text) => text.replace("75.0 %", "85.0 %"));
    rehash();
    expect(await detailsOf(1)).toEqual([expect.stringMatching(/^report.md, line \d+$/)]);
  });

  it("is caught when a report is of another version, as nothing then compares it", async () => {
    edit("bundle.json", (text) => text.replace(`"reportVersion": ${reportVersion}`, '"reportVersion": 99'));
    expect(await detailsOf(1)).toEqual([
      `it is of version 99, this Hotpath writes version ${reportVersion}; use the one that made it`,
    ]);
  });

  it("is caught when the bundle is about another run", async () => {
    edit("bundle.json", (text) => text.replace("20261122-203000", "20261122-203001"));
    expect(await detailsOf(1)).toEqual([
      'bundle.json is about run "20261122-203001-3fa9c1", the record about 20261122-203000-3fa9c1',
    ]);
  });

  it("names a few of the files that are missing, however many there are", async () => {
    edit("bundle.json", (text) => {
      const manifest = JSON.parse(text) as { files: Record<string, string> };
      for (let file = 0; file < 100; file++) manifest.files[`file-${file}.txt`] = "";
      return JSON.stringify(manifest);
    });
    expect(await detailsOf(1)).toEqual([
      expect.stringMatching(/^file-0.txt is missing; .*file-19.txt is missing; and 80 more$/),
    ]);
  });

  it("is caught when a file is missing or the bundle is of another version", async () => {
    rmSync(path.join(bundle, "report.html"));
    expect(await detailsOf(1)).toEqual(["report.html is missing"]);
    mkdirSync(path.join(bundle, "report.html"));
    expect(await detailsOf(1)).toEqual([expect.stringMatching(/^report.html cannot be read: EISDIR/)]);
    edit("bundle.json", (text) => text.replace('"version": 1', '"version": 7'));
    expect(await detailsOf(1)).toEqual(["bundle.json is of version 7, this Hotpath reads 1"]);
    edit("bundle.json", (text) => text.replace('"version": 7', '"version": 1').replace("report.md", "../report.md"));
    expect(await detailsOf(1)).toEqual(['bundle.json names "../report.md", which is no file of a bundle']);
    edit("bundle.json", () => "[]");
    expect(await detailsOf(1)).toEqual(["bundle.json is none of a bundle"]);
    edit("bundle.json", () => "{");
    expect(await detailsOf(1)).toEqual([expect.stringMatching(/^bundle.json: .*JSON/)]);
    rmSync(path.join(bundle, "bundle.json"));
    expect(await detailsOf(1)).toEqual(["bundle.json is missing"]);
  });

  it("is caught when a line was dropped", async () => {
    writeFileSync(record, lines().toSpliced(20, 1).join("\n"));
    rehash();
    expect(await detailsOf(1)).toContain("line 21 was changed, or lines before it are missing");
  });

  it("is caught when lines were moved", async () => {
    const all = lines();
    writeFileSync(record, [...all.slice(0, 20), all[21], all[20], ...all.slice(22)].join("\n"));
    rehash();
    expect((await detailsOf(1))[0]).toBe(
      "line 21 was written after line 22: lines were moved; line 22 was written after line 20: lines were moved; line 23 was written after line 21: lines were moved",
    );
  });

  it("is caught when its end is missing", async () => {
    writeFileSync(record, lines().slice(0, -2).join("\n").concat("\n"));
    rehash();
    expect(await detailsOf(1)).toContain(
      "the last line is not the end of the run; lines are missing, or it can be resumed",
    );
    writeFileSync(record, lines().join("\n").slice(0, -20));
    rehash();
    expect(await detailsOf(1)).toContainEqual(expect.stringMatching(/^line \d+ is cut off$/));
  });

  it("is caught when it is no record at all", async () => {
    writeFileSync(record, "{}\n");
    rehash();
    const { failed } = await check(2);
    expect(failed.map(({ at, detail }) => [at, detail])).toEqual([
      [1, "line 1 of the record: {} is no entry of a record"],
      [2, "see level 1"],
    ]);
  });
});

describe("a forged record whose chain was made anew", () => {
  it("is caught by the hash of a text that was changed", async () => {
    await changeOutput("starter/4", (output) => ({ ...output, text: answers.passed }));
    expect((await check(1)).failed).toMatchObject([
      { detail: "1 texts are not those that were hashed", tasks: ["coder-dense: starter starter/4"] },
    ]);
  });

  it("is caught by scoring again when a text was changed with its hash", async () => {
    await changeOutput("starter/1", (output) => ({ ...output, text: "oops", textSha256: sha256("oops") }));
    expect((await check(2)).failed).toMatchObject([
      {
        at: 2,
        detail:
          "1 of 80 differ (starter/1: recorded as correct, passed, exact-match yes, here wrong, crashed, exact-match yes)",
        tasks: ["coder-dense: starter/1"],
      },
    ]);
  });

  it("is caught by scoring again when a score was changed", async () => {
    await changeScore("starter/4", (score) => ({ ...score, isCorrect: true, verdict: "passed" }));
    expect((await check(1)).failed).toEqual([]);
    expect((await check(2)).failed).toMatchObject([{ at: 2, tasks: ["coder-dense: starter/4"] }]);
  });

  it("is caught by its verdict when a score contradicts it", async () => {
    await changeScore("starter/4", (score) => ({ ...score, isCorrect: true }));
    expect(await detailsOf(1)).toEqual(["1 scores contradict their verdict"]);
  });

  it("is caught by generating again when text and score were changed together", async () => {
    const text = `${answers.passed} # starter/4`;
    await forge((entry) => {
      if (entry.type === "output" && isOf("starter/4")(entry)) return { ...entry, text, textSha256: sha256(text) };
      if (entry.type !== "score" || !isOf("starter/4")(entry)) return entry;
      return { ...entry, score: { ...entry.score, isCorrect: true, verdict: "passed" } };
    });
    expect((await check(2)).failed).toEqual([]);
    const { failed } = await check(3);
    expect(failed).toMatchObject([
      { at: 3, what: "Coder 7B, dense writes the same texts", tasks: ["starter starter/4"] },
    ]);
  });

  it("is caught by what subjects were asked", async () => {
    await changeOutput("starter/3", (output) => ({ ...output, requestSha256: sha256("easier") }));
    expect((await check(1)).failed).toMatchObject([
      { detail: "1 requests differ between subjects", tasks: ["coder-exact: starter starter/3"] },
    ]);
    expect((await check(2)).failed).toMatchObject([{ at: 1 }, { at: 2, tasks: ["coder-dense: starter/3"] }]);
  });

  it("is caught by counting when outputs were dropped, doubled or made up", async () => {
    await forge((entry) => (isOf("starter/7")(entry) ? null : entry));
    expect(await detailsOf(1)).toEqual(["coder-dense in starter: 39 of 40 outputs, 39 scores"]);
    await forge((entry) => (isOf("starter/7")(entry) ? { ...entry, task: "starter/8" } : entry) as RecordEntry);
    expect(await detailsOf(1)).toContain("2 steps are there twice");
    await forge((entry) => (isOf("starter/7")(entry) ? { ...entry, repetition: 5 } : entry) as RecordEntry);
    expect(await detailsOf(1)).toEqual(["2 steps are not of the plan"]);
    await forge((entry) => (entry.type === "output" && isOf("starter/7")(entry) ? null : entry));
    expect(await detailsOf(1)).toContain("1 scores have no output");
  });

  it.each<[string, (entry: RecordEntry) => boolean, string[]]>([
    [
      "a suite of a subject",
      (entry) => "suite" in entry && "subject" in entry && entry.subject === "coder-exact" && entry.suite === "starter",
      ["coder-exact in starter: 0 of 40 outputs, 0 scores"],
    ],
    [
      "a suite of all subjects",
      (entry) =>
        (entry.type === "suite" && entry.info.id === "latency") || ("suite" in entry && entry.suite === "latency"),
      ["coder-dense", "coder-exact", "ollama"].map((id) => `${id} in latency: nothing, not even the suite`),
    ],
    [
      "a replay",
      (entry) => entry.type === "typing" && entry.subject === "coder-exact",
      ["coder-exact in keystrokes: 0 of 1 replays"],
    ],
    [
      "a refusal",
      (entry) => entry.type === "warning" && entry.code === "refused",
      ["ollama in infill-single: 0 of 12 outputs, 0 scores"],
    ],
  ])("is caught by its plan when %s was taken out", async (_, isTakenOut, missing) => {
    await forge((entry) => (isTakenOut(entry) ? null : entry));
    expect(await detailsOf(1)).toEqual([missing.join("; ")]);
  });

  it("is caught by its last line when that does not tell what is left", async () => {
    await forge((entry) => (entry.type === "end" ? { ...entry, left: { failures: 0, unscored: 0 } } : entry));
    expect(await detailsOf(1)).toEqual(['its last line says "complete", its other lines "complete but for 1 failure"']);
  });

  it("is caught by times that cannot be", async () => {
    await changeOutput("starter/7", (output) => ({ ...output, ttftMs: 2000 }));
    expect(await detailsOf(1)).toEqual(["1 answers have times that cannot be"]);
  });

  it("is caught when references did not pass, and when code ran nobody says where", async () => {
    await forge((entry) => (entry.type === "selfTest" ? { ...entry, result: { ...entry.result, passed: 1 } } : entry));
    expect(await detailsOf(1)).toEqual(["1 of 40 references of starter passed"]);
    await forge((entry) => (entry.type === "isolation" ? null : entry));
    expect(await detailsOf(1)).toEqual(["code ran, and nothing says where"]);
  });

  it("is caught by a data set and prompts that are others here", async () => {
    await forge((entry) => {
      if (entry.type !== "suite" || entry.info.id !== "starter" || !entry.info.dataset) return entry;
      return { ...entry, info: { ...entry.info, dataset: { ...entry.info.dataset, sha256: sha256("easier") } } };
    });
    const [detail] = await detailsOf(2);
    expect(detail).toMatch(/^hash of the data set: [0-9a-f]{64} in the record, [0-9a-f]{64} here$/);
  });
});

describe("what cannot be checked here", () => {
  const refused =
    (code: "sandbox/unavailable" | "model/not-found" | "dataset/unavailable", message: string) => async () => {
      throw new AppError(code, message);
    };

  it("does not hold: no sandbox, no data set, no model", async () => {
    const noSandbox = await check(2, { createSandbox: refused("sandbox/unavailable", "not allowed") });
    expect(noSandbox.failed).toMatchObject([{ at: 2, detail: "not allowed" }]);
    const noData = await check(2, { prepareSuite: refused("dataset/unavailable", "fetch it") });
    expect(noData.failed).toMatchObject([{ detail: "fetch it" }, { detail: "fetch it" }]);
    const noModel = await check(3, { createSubject: refused("model/not-found", "name it") });
    expect(noModel.failed.map(({ detail }) => detail)).toEqual(Array(5).fill("name it"));
  });

  it("does not hold when nothing can be asked again", async () => {
    await forge((entry) => (entry.type === "subject" ? null : entry));
    expect((await check(3)).failed).toMatchObject([{ at: 3, detail: "there is nothing that could be asked again" }]);
  });

  it("does not hold when the model is another one", async () => {
    const createSubject = async (definition: SubjectDefinition) => ({
      ...repeatingSubject(definition),
      open: async () => ({ ...exampleFacts, sha256: sha256("other") }),
    });
    const { failed } = await check(3, { createSubject });
    expect(failed[0]?.detail).toBe(`its file has the hash ${sha256("other")}, in the record ${exampleFacts.sha256}`);
  });

  it("ends at once when it is cancelled", async () => {
    const cancelled = async () => {
      throw new AppError("request/cancelled", "cancelled");
    };
    await expect(check(2, { prepareSuite: cancelled })).rejects.toMatchObject({ code: "request/cancelled" });
  });
});
