import { describe, expect, it } from "vitest";
import type { SuiteChoice } from "../../../../src/benchmark/suite.ts";
import { datasetsOf, prepareSuite } from "../../../../src/benchmark/suites/prepareSuite.ts";
import { evenlySpread } from "../../../../src/benchmark/suites/protocol.ts";
import { root } from "../../../support/sources.ts";
import { choose, doubling, exemplarsYaml, missingLine, storeOf, words } from "./rows.ts";

const rowsOf = {
  humaneval: [0, 1, 2, 3, 4, 5, 6].map((n) => ({ ...doubling, task_id: `Own/${n}` })),
  "infill-single": [missingLine],
  "infill-multi": [missingLine],
  gsm8k: words,
  "gsm8k-train": [...words, ...words, ...words],
  "gsm8k-cot-examples": exemplarsYaml,
};

const prepare = (choice: SuiteChoice) => prepareSuite(choice, { datasets: storeOf(rowsOf), productFolder: root });

describe("Preparing a suite", () => {
  it.each(["humaneval", "infill-single", "infill-multi", "gsm8k-cot", "gsm8k-5shot"] as const)(
    "makes %s, the same again each time",
    async (id) => {
      const [first, second] = [await prepare(choose(id)), await prepare(choose(id))];
      expect(first.info).toMatchObject({ id, kind: "quality", taskCount: first.tasks.length });
      expect(second.info).toEqual(first.info);
      expect(second.tasks).toEqual(first.tasks);
      expect(first.runsCode).toBe(!id.startsWith("gsm8k"));
      expect(first.selfTest !== null).toBe(first.runsCode);
    },
  );

  it("takes tasks at equal distances when there is a limit", async () => {
    const { tasks, info } = await prepare(choose("humaneval", { limit: 3 }));
    expect(tasks.map((task) => task.id)).toEqual(["Own/0", "Own/2", "Own/4"]);
    expect(info.taskCount).toBe(3);
    expect(evenlySpread(["a", "b"], 5)).toEqual(["a", "b"]);
  });

  it("hashes what is asked", async () => {
    const hashes = await Promise.all(
      [{}, { seed: 2 }, { limit: 3 }, { temperature: 0.2 }].map(async (choice) => {
        return (await prepare(choose("humaneval", choice))).info.promptsSha256;
      }),
    );
    expect(new Set(hashes).size).toBe(4);
  });

  it.each<[Partial<SuiteChoice>, string]>([
    [{ limit: 0 }, "humaneval: a limit of 0 tasks; it starts at 1"],
    [{ limit: 1.5 }, "humaneval: a limit of 1.5 tasks; it starts at 1"],
    [{ repetitions: 0 }, "humaneval: 0 samples; at least 1 is needed"],
    [
      { repetitions: 5 },
      "humaneval: 5 samples at temperature 0 would all be the same; ask for 1, or for a temperature like 0.2",
    ],
    [{ temperature: -1 }, "humaneval: temperature -1 is not between 0 and 2"],
    [{ temperature: Number.NaN }, "humaneval: temperature NaN is not between 0 and 2"],
    [{ topP: 0 }, "humaneval: top-p 0 is not above 0 and at most 1"],
    [{ seed: 2 ** 32 }, "humaneval: seed 4294967296 for 1 samples does not fit into 32 bits"],
  ])("refuses %j", async (choice, message) => {
    await expect(prepare(choose("humaneval", choice))).rejects.toMatchObject({ code: "request/invalid", message });
  });

  it("refuses a suite nobody knows", async () => {
    const choice = { ...choose("humaneval"), id: "mbpp" as "humaneval" };
    await expect(prepare(choice)).rejects.toMatchObject({
      code: "request/invalid",
      message: expect.stringMatching(/^there is no suite "mbpp"; known are .*humaneval/),
    });
  });

  it("says what has to be fetched first", async () => {
    expect(datasetsOf("gsm8k-5shot").map((dataset) => dataset.name)).toEqual(["gsm8k", "gsm8k-train"]);
    const nothing = prepareSuite(choose("gsm8k-5shot"), { datasets: storeOf({}), productFolder: root });
    await expect(nothing).rejects.toMatchObject({ code: "dataset/unavailable" });
  });

  it("refuses to score a task of another suite", async () => {
    const suite = await prepare(choose("humaneval"));
    const other = await prepare(choose("gsm8k-cot"));
    const task = other.tasks[0];
    if (task?.kind !== "generate") throw new Error("not a generation");
    const score = suite.score?.(task, { text: "", stopReason: "end" }, null, new AbortController().signal);
    await expect(score).rejects.toMatchObject({ code: "request/invalid" });
  });
});
