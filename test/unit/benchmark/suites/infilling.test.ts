import { describe, expect, it } from "vitest";
import { multiLineInfilling, singleLineInfilling } from "../../../../src/benchmark/datasets/catalogue.ts";
import type { GenerateTask } from "../../../../src/benchmark/suite.ts";
import { completeLine, prepareInfilling } from "../../../../src/benchmark/suites/infilling/infilling.ts";
import { publicData } from "../../../support/publicData.ts";
import { choose, missingLine, ScriptedSandbox, storeOf } from "./rows.ts";

const signal = new AbortController().signal;

function prepareOwn(missing: "single" | "multi") {
  return prepareInfilling(missing, choose(`infill-${missing}`), storeOf({ [`infill-${missing}`]: [missingLine] }));
}

describe("Infilling", () => {
  it("asks for what stands between prompt and suffix", async () => {
    const { tasks } = await prepareOwn("single");
    expect(tasks).toEqual([
      {
        kind: "generate",
        id: "SingleLineInfilling/Own/0/L0",
        cluster: "Own/0",
        request: {
          prompt: { kind: "fim", prefix: missingLine.prompt, suffix: "    return doubled\n" },
          maxTokens: 512,
          maxLines: 1,
          stop: [],
          temperature: 0,
          topP: 1,
          seed: 1,
          ignoreEnd: false,
          timeLimitMs: 0,
        },
      },
    ]);
  });

  it("goes on to the end of the middle when several lines are missing", async () => {
    const { tasks } = await prepareOwn("multi");
    expect((tasks[0] as GenerateTask).request).toMatchObject({ maxLines: 0, stop: [], maxTokens: 512 });
  });

  it.for([
    ["single", singleLineInfilling, "608e264e269b3d9f2fbfce5e116617d24b230848e14ff85ef844bf9bdc653e04"],
    ["multi", multiLineInfilling, "73ef0ad5f9df6bce2eb26e5d78ca5beaf57c7646de2f615afc5ec7bd97ce1f79"],
  ] as const)("has the prompts of the published rows, %s", async ([missing, dataset, promptsSha256], context) => {
    const suite = await prepareInfilling(missing, choose(`infill-${missing}`), publicData(context, [dataset]));
    expect(suite.info).toMatchObject({ protocol: `infill-${missing}-greedy`, taskCount: dataset.rows, promptsSha256 });
    expect(new Set(suite.tasks.map((task) => task.cluster)).size).toBe(164);
  });

  it.for([
    ["single", singleLineInfilling],
    ["multi", multiLineInfilling],
  ] as const)("runs each program once when references are tried, %s", async ([missing, dataset], context) => {
    const suite = await prepareInfilling(missing, choose(`infill-${missing}`), publicData(context, [dataset]));
    const sandbox = new ScriptedSandbox();
    const result = await suite.selfTest?.(sandbox, () => {}, signal);
    expect(result).toEqual({ total: dataset.rows, passed: dataset.rows, failed: [] });
    expect(sandbox.programs.length).toBe(287);
  });

  it("keeps the newline and puts nothing between completion and suffix", async () => {
    const suite = await prepareOwn("single");
    const sandbox = new ScriptedSandbox();
    const output = { text: "    doubled = 2 * n", stopReason: "lines" } as const;
    const score = await suite.score?.(suite.tasks[0] as GenerateTask, output, sandbox, signal);
    expect(sandbox.programs).toEqual([
      `${missingLine.prompt}    doubled = 2 * n\n    return doubled\n\n${missingLine.test}\ncheck(twice)`,
    ]);
    expect(score).toEqual({ isCorrect: true, verdict: "passed", measures: { "exact-match": false }, detail: null });
  });

  it("takes a text of several lines as it is", async () => {
    const suite = await prepareOwn("multi");
    const sandbox = new ScriptedSandbox(() => "failed");
    const output = { text: "    doubled = n * 2\n    doubled", stopReason: "tokens" } as const;
    const score = await suite.score?.(suite.tasks[0] as GenerateTask, output, sandbox, signal);
    expect(sandbox.programs[0]).toContain('"""\n    doubled = n * 2\n    doubled    return doubled\n');
    expect(score?.measures).toEqual({ "exact-match": false });
  });

  it.for([
    ["single", "    doubled = n * 2", true],
    ["single", "doubled = n * 2\nmore", true],
    ["single", "    doubled = n*2", false],
    ["multi", "    doubled = n * 2\n\n", true],
    ["multi", "    doubled = n * 2\n    doubled += 0\n", false],
  ] as const)("matches the reference as a whole, %s: %j", async ([missing, text, isMatch]) => {
    const suite = await prepareOwn(missing);
    const output = { text, stopReason: "end" } as const;
    const score = await suite.score?.(suite.tasks[0] as GenerateTask, output, new ScriptedSandbox(), signal);
    expect(score?.measures).toEqual({ "exact-match": isMatch });
  });
});

describe("A completed line", () => {
  it.each([
    ["    return n", "lines", "    return n\n"],
    ["    return n\nmore", "end", "    return n\n"],
    ["    return n\n", "tokens", "    return n\n"],
    ["", "lines", "\n"],
    ["    return n", "end", "    return n"],
    ["    return", "tokens", "    return"],
    ["    return n", null, "    return n"],
  ] as const)("of %j that ended by %s is %j", (text, stopReason, line) => {
    expect(completeLine({ text, stopReason })).toBe(line);
  });
});
