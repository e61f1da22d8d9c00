// HumanEval's problems, from a copy that is never part of this repository: in HOTPATH_TEST_DATA, or in shared/data beside
// the checkout.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { TestContext } from "vitest";
import { takesAllRows } from "../support/publicData.ts";
import { root } from "../support/sources.ts";

export interface Problem {
  readonly task_id: string;
  readonly prompt: string;
  readonly canonical_solution: string;
  readonly test: string;
  readonly entry_point: string;
}

const folder = process.env.HOTPATH_TEST_DATA ?? path.join(root, "..", "shared", "data");

/** Each takes about half a second of processor time; a sample unless all rows are asked for. */
export function humanEval(context: TestContext, sampleSize: number): Problem[] {
  const file = path.join(folder, "HumanEval.jsonl.gz");
  context.skip(!existsSync(file), `there is no ${file}; set HOTPATH_TEST_DATA`);
  const lines = gunzipSync(readFileSync(file)).toString().trim().split("\n");
  const problems = lines.map((line) => JSON.parse(line) as Problem);
  const step = takesAllRows ? 1 : Math.floor(problems.length / sampleSize);
  return problems.filter((_, i) => i % step === 0);
}

export const program = ({ prompt, test, entry_point: entry }: Problem, solution: string) =>
  `${prompt}${solution}\n${test}\ncheck(${entry})\n`;
