// HumanEval's own solutions, each in a child of its own: a place that fails them would fail models wrongly.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createChildSandbox } from "../../src/sandbox/childSandbox.ts";
import { root } from "../support/sources.ts";
import { product } from "./targets.ts";

const folder = process.env.HOTPATH_TEST_DATA ?? path.join(root, "..", "shared", "data");
const file = path.join(folder, "HumanEval.jsonl.gz");
/** Every one takes about a second of processor time; HOTPATH_TEST_FULL=1 runs all 164. */
const sampleSize = process.env.HOTPATH_TEST_FULL === "1" ? 164 : 20;

interface Problem {
  readonly task_id: string;
  readonly prompt: string;
  readonly canonical_solution: string;
  readonly test: string;
  readonly entry_point: string;
}

function problems(): Problem[] {
  const lines = gunzipSync(readFileSync(file)).toString().trim().split("\n");
  const step = lines.length / sampleSize;
  const chosen = Array.from({ length: sampleSize }, (_, i) => lines[Math.floor(i * step)] ?? "");
  return chosen.map((line) => JSON.parse(line) as Problem);
}

const program = ({ prompt, test, entry_point: entry }: Problem, solution: string) =>
  `${prompt}${solution}\n${test}\ncheck(${entry})\n`;

describe("HumanEval", () => {
  it("passes with its own solutions and fails with none", async (context) => {
    context.skip(!existsSync(file), `there is no ${file}; set HOTPATH_TEST_DATA`);
    const sandbox = await createChildSandbox({ folder: product, allowReduced: true });
    const chosen = problems();
    const verdicts: Record<string, string | null> = {};
    for (const problem of chosen) {
      const { outcome, message } = await sandbox.run(program(problem, problem.canonical_solution));
      if (outcome !== "passed") verdicts[problem.task_id] = message;
    }
    expect(verdicts).toEqual({});
    for (const problem of chosen.slice(0, 3)) {
      expect((await sandbox.run(program(problem, "    return None"))).outcome).toBe("failed");
    }
    sandbox.dispose();
  }, 600_000);
});
