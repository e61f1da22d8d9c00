import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { GenerateTask, SuiteChoice } from "../../../../src/benchmark/suite.ts";
import { prepareLatency } from "../../../../src/benchmark/suites/latency/latency.ts";
import { prepareSizes } from "../../../../src/benchmark/suites/sizes/sizes.ts";
import { withFreshPrompts } from "../../../../src/benchmark/suites/speedTasks.ts";
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
      return [task.id, Math.round((prefix.length + suffix.length) / 3.3 / 32) * 32];
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

  it("takes lines out at the cursor, so that there is something to write", async () => {
    const files = { "#": "python", "//": "typescript" } as const;
    const suite = await prepareLatency(choice, root);
    for (const task of suite.tasks as GenerateTask[]) {
      const { prefix, suffix } = fimOf(task);
      expect(prefix.endsWith("\n") && suffix.endsWith("\n")).toBe(true);
      expect(prefix.length / (prefix.length + suffix.length)).toBeCloseTo(0.8, 0);
      const name = task.id === "prompt-512" ? "cpp" : task.id.includes("256") ? files["//"] : files["#"];
      const code = readFileSync(path.join(root, "media", "benchmark", "prompts", `${name}.txt`), "utf8");
      expect(code.startsWith(prefix)).toBe(true);
      const hole = code.indexOf(suffix, prefix.length) - prefix.length;
      expect(hole / 3.3).toBeGreaterThan(80);
      expect(hole / 3.3).toBeLessThan(120);
      const text = task.fallback?.prompt.kind === "text" ? task.fallback.prompt.text : "";
      expect(code.startsWith(text)).toBe(true);
      expect(text.length / (prefix.length + suffix.length)).toBeCloseTo(1, 0);
    }
  });

  it("begins every prompt of every run with another line, so that no cache knows one", async () => {
    const runs = [await prepareLatency(choice, root), await prepareLatency({ ...choice, seed: 2 }, root)];
    const beginnings = runs.flatMap((suite) =>
      (suite.tasks as GenerateTask[]).flatMap((task) =>
        [0, 1].map((round) => {
          const fim = suite.request(task, round).prompt;
          const plain = suite.request({ ...task, request: task.fallback ?? task.request }, round).prompt;
          if (fim.kind !== "fim" || plain.kind !== "text") throw new Error("not the prompts of the task");
          expect(fim).toEqual({ ...fimOf(task), prefix: expect.stringMatching(/^(#|\/\/) [0-9a-f]{8}\n/) });
          expect(plain.text.split("\n")[0]).toBe(fim.prefix.split("\n")[0]);
          return fim.prefix.split("\n")[0];
        }),
      ),
    );
    expect(new Set(beginnings).size).toBe(2 * 5 * 2);
    expect(runs[0]?.info).toEqual(runs[1]?.info);
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

describe("the seed of a new run", () => {
  it("is drawn for speed suites, and stays what it is for others", () => {
    const latency = [1, 2].map(() => withFreshPrompts(choice));
    expect(latency[0]?.seed).not.toBe(latency[1]?.seed);
    expect(withFreshPrompts({ ...choice, id: "humaneval" })).toEqual({ ...choice, id: "humaneval" });
  });
});

describe("the sizes suite", () => {
  it("asks short prompts of the latency suite", async () => {
    const latency = await prepareLatency(choice, root);
    const sizes = await prepareSizes({ ...choice, id: "sizes" }, root);
    expect(sizes.tasks).toEqual(latency.tasks.slice(0, 2));
  });
});
