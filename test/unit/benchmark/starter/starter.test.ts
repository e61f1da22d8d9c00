import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { readStarterProblems } from "../../../../src/benchmark/datasets/rows.ts";
import type { ScoreEntry } from "../../../../src/benchmark/record/entries.ts";
import { qualityOf } from "../../../../src/benchmark/report/quality.ts";
import type { GenerateTask } from "../../../../src/benchmark/suite.ts";
import { prepareStarter } from "../../../../src/benchmark/suites/starter/starter.ts";
import { read, root } from "../../../support/sources.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";
import { choose, ScriptedSandbox } from "../suites/rows.ts";

const file = "media/benchmark/starter.jsonl";
const problems = readStarterProblems(read(file), file);
const signal = new AbortController().signal;
const prepare = (choice = {}) => prepareStarter(choose("starter", choice), root);

interface Judgement {
  readonly id: string;
  readonly reference: string;
  readonly failedExamples: number;
  readonly wrong: string;
  readonly withoutLine: string;
}

const rowsOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Every problem has a solution that looks right and is not; they are for this test only and do not ship. */
function judgeAll(context: TestContext): readonly Judgement[] {
  const input = JSON.stringify({
    problems: rowsOf(read(file)),
    wrong: rowsOf(read("test/unit/benchmark/starter/wrong.jsonl")),
  });
  const script = path.join(root, "test/unit/benchmark/starter/judge.py");
  const python = spawnSync("python3", [script], { input, encoding: "utf8", timeout: 15_000 });
  context.skip(python.error?.message.includes("ENOENT") === true, "there is no python3; install it");
  expect(python.stderr).toBe("");
  return JSON.parse(python.stdout);
}

describe("The starter set", () => {
  it("has 40 problems in the shape of HumanEval's", () => {
    expect(problems.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, index) => `Starter/${index}`));
    expect(new Set(problems.map(({ entryPoint }) => entryPoint)).size).toBe(40);
    for (const { prompt, entryPoint, solution, test } of problems) {
      expect(prompt).toMatch(new RegExp(`^def ${entryPoint}\\(.*\\) -> .*:\n    """[^]*\n    >>> [^]*\n    """\n$`));
      expect(solution).toMatch(/^( {4}.*\n|\n)+$/);
      expect(test).toMatch(/^def check\(candidate\):\n( {4}.*\n)+$/);
      expect(test.match(/^ {4}assert /gm)?.length).toBeGreaterThanOrEqual(5);
      expect(prompt + solution + test).not.toMatch(/^\s*(import|from) /m);
    }
  });

  it("asks for lines that do more than start a list, add what is there or return it", () => {
    const trivial = /^(\w+ = (\[\]|\{\}|\w+)|\w+ \+= (\w+|" ")|\w+\.append\(\w+\)|return (\w+|\(\w+, \w+\)))$/;
    expect(problems.map(({ line }) => line.trim()).filter((line) => trivial.test(line))).toEqual([]);
  });

  it("has references that pass, true examples, and tests that tell right from wrong", (context) => {
    const judgements = judgeAll(context);
    expect(judgements.length).toBe(40);
    for (const judgement of judgements) {
      expect(judgement).toEqual({
        id: judgement.id,
        reference: "passed",
        failedExamples: 0,
        wrong: "AssertionError",
        withoutLine: expect.stringMatching(/^(NotImplemented|Indentation)Error$/),
      });
    }
  });

  it("asks for every body and for a line of every body", async () => {
    const suite = await prepare();
    expect(suite.info).toEqual({
      id: "starter",
      title: "Starter set",
      kind: "quality",
      protocol: "HE-base-greedy (bodies) and infill-single-greedy (lines)",
      dataset: { name: "starter", sha256: expect.stringMatching(/^[0-9a-f]{64}$/), rows: 40, source: "shipped" },
      taskCount: 80,
      promptsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const [body, line] = [suite.tasks[2], suite.tasks[42]] as GenerateTask[];
    const problem = problems[2];
    expect(body).toMatchObject({
      id: "Starter/2",
      cluster: "Starter/2",
      request: { prompt: { kind: "text", text: problem?.prompt }, maxTokens: 768, maxLines: 0 },
    });
    expect(line).toMatchObject({
      id: "Starter/2/line",
      cluster: "Starter/2",
      request: {
        prompt: {
          kind: "fim",
          prefix: problem?.prompt,
          suffix: "    return [share + 1] * rest + [share] * (people - rest)\n",
        },
        maxLines: 1,
      },
    });
  });

  it("takes as many bodies as lines when there is a limit", async () => {
    const { tasks } = await prepare({ limit: 10 });
    const lines = tasks.filter(({ id }) => id.endsWith("/line"));
    expect([tasks.length, lines.length]).toEqual([10, 5]);
  });

  it("scores bodies and lines by measures of their own", async () => {
    const suite = await prepare();
    const [body, line] = [suite.tasks[2], suite.tasks[42]] as [GenerateTask, GenerateTask];
    const sandbox = new ScriptedSandbox((program) => (program.includes("divmod(cents, people)") ? "passed" : "failed"));
    const score = (task: GenerateTask, text: string) =>
      suite.score?.(task, { text, stopReason: "lines" }, sandbox, signal);
    expect(await score(body, "    return []")).toMatchObject({ isCorrect: false, measures: { body: false } });
    expect(await score(line, "    share, rest = divmod(cents, people)")).toMatchObject({
      isCorrect: true,
      measures: { line: true, "exact-match": true },
    });
    const { prompt = "", solution = "", test = "", entryPoint = "" } = problems[2] ?? {};
    expect(sandbox.programs.at(-1)).toBe(`${prompt}${solution}\n${test}\ncheck(${entryPoint})`);
  });

  it("counts bodies and lines apart, each among its own kind", async () => {
    const suite = await prepare({ limit: 4 });
    const scored = async (task: GenerateTask) => {
      const sandbox = new ScriptedSandbox(() =>
        task.id.endsWith("/line") || task.id === "Starter/0" ? "passed" : "failed",
      );
      const score = await suite.score?.(task, { text: "    return 0", stopReason: "lines" }, sandbox, signal);
      return {
        type: "score",
        subject: "model",
        suite: "starter",
        task: task.id,
        repetition: 0,
        cluster: task.cluster,
        score,
      };
    };
    const scores = await Promise.all((suite.tasks as GenerateTask[]).map(scored));
    expect(qualityOf("starter", scores as ScoreEntry[], [])).toMatchObject({
      correct: { value: 0.75 },
      measures: { body: 0.5, line: 1, "exact-match": 0 },
    });
  });

  it("runs every reference once, for both of its tasks", async () => {
    const suite = await prepare();
    const sandbox = new ScriptedSandbox();
    expect(await suite.selfTest?.(sandbox, () => {}, signal)).toEqual({ total: 80, passed: 80, failed: [] });
    expect(sandbox.programs.length).toBe(40);
  });

  it("says what is wrong when the file is not there or damaged", async () => {
    await expect(prepareStarter(choose("starter"), temporaryFolder())).rejects.toMatchObject({
      code: "dataset/unavailable",
      message: expect.stringContaining("starter.jsonl cannot be read: ENOENT"),
    });
    const row = { ...rowsOf(read(file))[0], line: "    return 1" };
    expect(() => readStarterProblems(JSON.stringify(row), "starter.jsonl")).toThrow(
      'starter.jsonl, line 1: the line "    return 1" stands in the reference 0 times, not once',
    );
  });
});
