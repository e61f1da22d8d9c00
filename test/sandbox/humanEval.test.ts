import { describe, expect, it } from "vitest";
import { createChildSandbox } from "../../src/sandbox/childSandbox.ts";
import { humanEval, program } from "./humanEval.ts";
import { product } from "./targets.ts";

describe("HumanEval in the confined child", () => {
  // A place that fails them would fail models wrongly.
  it("passes with its own solutions, each in a child of its own, and fails with none", async (context) => {
    const problems = humanEval(context, 12);
    const sandbox = await createChildSandbox({ folder: product, allowReduced: true });
    const failed: Record<string, string | null> = {};
    const start = performance.now();
    for (const problem of problems) {
      const { outcome, message } = await sandbox.run(program(problem, problem.canonical_solution));
      if (outcome !== "passed") failed[problem.task_id] = message;
    }
    const seconds = (performance.now() - start) / 1000;
    expect(failed).toEqual({});
    console.log(`${problems.length} programs in ${seconds.toFixed(1)} s`);
    for (const problem of problems.slice(0, 3)) {
      expect((await sandbox.run(program(problem, "    return None"))).outcome).toBe("failed");
    }
    sandbox.dispose();
  }, 900_000);
});
