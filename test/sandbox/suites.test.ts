// The suites that run code, from question to verdict: their references pass, and what is wrong does not.
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateTask } from "../../src/benchmark/suite.ts";
import { datasetsOf, prepareSuite } from "../../src/benchmark/suites/prepareSuite.ts";
import { createChildSandbox } from "../../src/sandbox/childSandbox.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { publicData, takesAllRows } from "../support/publicData.ts";
import { root } from "../support/sources.ts";
import { choose, doubling, missingLine, storeOf } from "../unit/benchmark/suites/rows.ts";

const never = new AbortController().signal;
/** Rows of each set; all are 738 programs and take over ten minutes. */
const limit = takesAllRows ? null : 5;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createChildSandbox({ folder: path.join(root, "dist"), allowReduced: true });
}, 60_000);
afterAll(() => sandbox.dispose());

describe("The references in the sandbox", () => {
  it.for(["humaneval", "infill-single", "infill-multi"] as const)(
    "of %s pass",
    { timeout: limit === null ? 1_800_000 : 120_000 },
    async (id, context) => {
      const datasets = publicData(context, datasetsOf(id));
      const suite = await prepareSuite(choose(id, { limit }), { datasets, productFolder: root });
      const total = suite.tasks.length;
      const result = await suite.selfTest?.(sandbox, () => {}, never);
      expect(result).toEqual({ total, passed: total, failed: [] });
    },
  );
});

describe("An answer in the sandbox", () => {
  it.each([
    ["that is right", "    return n + n\n", "passed", null],
    ["that is wrong", "    return n\n", "failed", expect.stringContaining("AssertionError")],
    ["that is no Python", "    return return\n", "syntax-error", expect.stringContaining("SyntaxError")],
  ])("%s", { timeout: 60_000 }, async (_, text, verdict, detail) => {
    const suite = await prepareSuite(choose("humaneval"), {
      datasets: storeOf({ humaneval: [doubling] }),
      productFolder: root,
    });
    const score = await suite.score?.(suite.tasks[0] as GenerateTask, { text, stopReason: "end" }, sandbox, never);
    expect(score).toEqual({ isCorrect: verdict === "passed", verdict, measures: {}, detail });
  });

  it("needs the newline that ends a missing line", { timeout: 60_000 }, async () => {
    const suite = await prepareSuite(choose("infill-single"), {
      datasets: storeOf({ "infill-single": [missingLine] }),
      productFolder: root,
    });
    const scoreOf = async (stopReason: "lines" | "end") => {
      const output = { text: "    doubled = n + n", stopReason };
      return suite.score?.(suite.tasks[0] as GenerateTask, output, sandbox, never);
    };
    expect(await scoreOf("lines")).toMatchObject({ isCorrect: true, verdict: "passed" });
    expect(await scoreOf("end")).toMatchObject({ isCorrect: false, verdict: "syntax-error" });
  });
});
