import { describe, expect, it } from "vitest";
import { humanEval } from "../../../../src/benchmark/datasets/catalogue.ts";
import type { GenerateTask, SuiteChoice } from "../../../../src/benchmark/suite.ts";
import { prepareHumanEval } from "../../../../src/benchmark/suites/humanEval/humanEval.ts";
import { publicData } from "../../../support/publicData.ts";
import { choose, doubling, ScriptedSandbox, storeOf } from "./rows.ts";

const signal = new AbortController().signal;
const own = () => storeOf({ humaneval: [doubling, { ...doubling, task_id: "Own/1" }] });

async function prepareOwn(choice: Partial<SuiteChoice> = {}) {
  const suite = await prepareHumanEval(choose("humaneval", choice), own());
  return { suite, task: suite.tasks[0] as GenerateTask };
}

describe("HumanEval", () => {
  it("asks with the prompt verbatim", async () => {
    const { task } = await prepareOwn();
    expect(task).toEqual({
      kind: "generate",
      id: "Own/0",
      cluster: "Own/0",
      request: {
        prompt: { kind: "text", text: '\ndef twice(n):\n    """Twice n."""\n' },
        maxTokens: 768,
        maxLines: 0,
        stop: ["\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n@", "\n```"],
        temperature: 0,
        topP: 1,
        seed: 1,
        ignoreEnd: false,
        timeLimitMs: 0,
      },
    });
  });

  it("has the prompts of the published rows, in their order", async (context) => {
    const suite = await prepareHumanEval(choose("humaneval"), publicData(context, [humanEval]));
    expect(suite.info).toEqual({
      id: "humaneval",
      title: "HumanEval",
      kind: "quality",
      protocol: "HE-base-greedy",
      dataset: { name: "humaneval", sha256: humanEval.sha256, rows: 164, source: "local file" },
      taskCount: 164,
      promptsSha256: "c7ddf571ff27d5d6c8885fc557e34501fbdd4ce71c67e48d0c44319c8e30a220",
    });
  });

  it.each([
    ["    return n * 2\n\ndef other():\n    pass", "    return n * 2\n"],
    ["    return n * 2\n@cache", "    return n * 2"],
    ["    return n * 2\n```\nThat is it.", "    return n * 2"],
    ["    if n:\n        return 2 * n\n    # double\n", "    if n:\n        return 2 * n\n    # double\n"],
    ["    return n\nprint(twice(3))\nif True:\n", "    return n"],
  ])("runs %j up to the earliest stop", async (text, completion) => {
    const { suite, task } = await prepareOwn();
    const sandbox = new ScriptedSandbox();
    const score = await suite.score?.(task, { text, stopReason: "tokens" }, sandbox, signal);
    expect(score).toEqual({ isCorrect: true, verdict: "passed", measures: {}, detail: null });
    expect(sandbox.programs).toEqual([`${doubling.prompt}${completion}\n${doubling.test}\ncheck(twice)`]);
  });

  it("counts what does not pass as wrong and says why", async () => {
    const { suite, task } = await prepareOwn();
    const sandbox = new ScriptedSandbox(() => "timeout");
    const score = await suite.score?.(task, { text: "", stopReason: "end" }, sandbox, signal);
    expect(score).toEqual({ isCorrect: false, verdict: "timeout", measures: {}, detail: "AssertionError" });
  });

  it("refuses to score without a sandbox", async () => {
    const { suite, task } = await prepareOwn();
    const score = suite.score?.(task, { text: "", stopReason: "end" }, null, signal);
    await expect(score).rejects.toMatchObject({ code: "sandbox/unavailable" });
  });

  it("names the tasks whose reference does not pass", async () => {
    const suite = await prepareHumanEval(
      choose("humaneval"),
      storeOf({ humaneval: [doubling, { ...doubling, task_id: "Own/1", canonical_solution: "    return 9\n" }] }),
    );
    const sandbox = new ScriptedSandbox((program) => (program.includes("return 9") ? "failed" : "passed"));
    const progress: number[][] = [];
    const result = await suite.selfTest?.(sandbox, (...step) => progress.push(step), signal);
    expect(result).toEqual({ total: 2, passed: 1, failed: ["Own/1"] });
    expect(progress).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it.each<[string, Partial<SuiteChoice>]>([
    ["custom: HE-base-greedy with other data", {}],
    ["custom: HE-base-greedy with other data, 1 of 2 tasks", { limit: 1 }],
    [
      "custom: HE-sampled, temperature 0.2, 20 samples with other data",
      { temperature: 0.2, topP: 0.95, repetitions: 20 },
    ],
    [
      "custom: HE-sampled, temperature 0.8, 200 samples with other data",
      { temperature: 0.8, topP: 0.95, repetitions: 200 },
    ],
    [
      "custom: HE-sampled with temperature 0.5, top-p 0.95, 20 samples, other data",
      { temperature: 0.5, topP: 0.95, repetitions: 20 },
    ],
    ["custom: HE-sampled with temperature 0.2, top-p 0.95, 1 sample, other data", { temperature: 0.2, topP: 0.95 }],
  ])("is called %s", async (protocol, choice) => {
    expect((await prepareOwn(choice)).suite.info.protocol).toBe(protocol);
  });

  it("gives every sample another seed when sampled", async () => {
    const { suite, task } = await prepareOwn({ temperature: 0.2, topP: 0.95, repetitions: 20, seed: 7 });
    expect([0, 1, 19].map((repetition) => suite.request(task, repetition).seed)).toEqual([7, 8, 26]);
  });
});
