import { describe, expect, it } from "vitest";
import type { GenerateTask, SuiteChoice } from "../../../../src/benchmark/suite.ts";
import { prepareLatency } from "../../../../src/benchmark/suites/latency/latency.ts";
import { prepareSizes } from "../../../../src/benchmark/suites/sizes/sizes.ts";
import { root } from "../../../support/sources.ts";

const choice: SuiteChoice = { id: "latency", limit: null, repetitions: 5, temperature: 0, topP: 1, seed: 1 };

const fimOf = ({ request: { prompt } }: GenerateTask) => {
  if (prompt.kind !== "fim") throw new Error("not fill-in-the-middle");
  return prompt;
};

describe("the latency suite", () => {
  it("asks for exactly 100 tokens after prompts of growing length", async () => {
    const { tasks, info } = await prepareLatency(choice, root);
    expect(info).toMatchObject({ id: "latency", kind: "speed", taskCount: 5, dataset: null });
    const lengths = tasks.map((task) => {
      const { prefix, suffix } = fimOf(task as GenerateTask);
      return [task.id, Math.round((prefix.length + suffix.length) / 3.3 / 16) * 16];
    });
    expect(lengths).toEqual([
      ["prompt-64", 64],
      ["prompt-256", 256],
      ["prompt-512", 512],
      ["prompt-1024", 1024],
      ["idle-256", 256],
    ]);
    for (const task of tasks as GenerateTask[])
      expect(task.request).toMatchObject({ maxTokens: 100, maxLines: 0, stop: [], temperature: 0, ignoreEnd: true });
    expect((tasks as GenerateTask[]).map(({ idleMs }) => idleMs)).toEqual([...Array(4), 5000]);
  });

  it("cuts at ends of lines, with most of the text before the cursor", async () => {
    for (const task of (await prepareLatency(choice, root)).tasks as GenerateTask[]) {
      const { prefix, suffix } = fimOf(task);
      expect(prefix.endsWith("\n") && suffix.endsWith("\n")).toBe(true);
      expect(prefix.length / (prefix.length + suffix.length)).toBeCloseTo(0.8, 0);
      expect(task.fallback?.prompt).toEqual({ kind: "text", text: prefix + suffix });
    }
  });

  it("begins every round's prompts with another line, so that no cache knows them", async () => {
    const suite = await prepareLatency(choice, root);
    const task = suite.tasks[1] as GenerateTask;
    const [first, second] = [0, 1].map((round) => suite.request(task, round));
    expect(first?.prompt).toMatchObject({ prefix: `// Round 1\n${fimOf(task).prefix}`, suffix: fimOf(task).suffix });
    expect(second?.prompt).toMatchObject({ prefix: expect.stringMatching(/^\/\/ Round 2\n/) });
    const fallback = { ...task, request: task.fallback ?? task.request };
    expect(suite.request(fallback, 1).prompt).toMatchObject({ text: expect.stringMatching(/^\/\/ Round 2\n/) });
  });

  it("is the same again, and a part of it is spread over the lengths", async () => {
    const [one, other] = [await prepareLatency(choice, root), await prepareLatency(choice, root)];
    expect(one.info).toEqual(other.info);
    const part = await prepareLatency({ ...choice, limit: 2 }, root);
    expect(part.tasks.map(({ id }) => id)).toEqual(["prompt-64", "prompt-512"]);
    expect(part.info.promptsSha256).not.toBe(one.info.promptsSha256);
  });

  it("says what is missing where the product's files are", async () => {
    await expect(prepareLatency(choice, "nowhere")).rejects.toMatchObject({ code: "dataset/unavailable" });
  });
});

describe("the sizes suite", () => {
  it("asks short prompts of the latency suite", async () => {
    const latency = await prepareLatency(choice, root);
    const sizes = await prepareSizes({ ...choice, id: "sizes" }, root);
    expect(sizes.tasks).toEqual(latency.tasks.slice(0, 2));
  });
});
