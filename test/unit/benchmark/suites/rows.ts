// Small data sets of our own, in the formats of the public ones.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { DatasetStore } from "../../../../src/benchmark/datasets/datasetStore.ts";
import type { SuiteChoice, SuiteId } from "../../../../src/benchmark/suite.ts";
import type { Sandbox, VerdictOutcome } from "../../../../src/sandbox/sandbox.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

export const doubling = {
  task_id: "Own/0",
  prompt: '\ndef twice(n):\n    """Twice n."""\n',
  entry_point: "twice",
  canonical_solution: "    doubled = n * 2\n    return doubled\n",
  test: "def check(candidate):\n    assert candidate(4) == 8\n",
};

export const missingLine = {
  ...doubling,
  task_id: "SingleLineInfilling/Own/0/L0",
  canonical_solution: "    doubled = n * 2\n",
  suffix: "    return doubled\n",
};

export const words = [
  { question: "Ann has 2 pens and buys 3. How many now?", answer: "She has 2+3=<<2+3=5>>5 pens.\n#### 5" },
  { question: "A hall has 40 rows of 30 seats. Seats?", answer: "40*30=<<40*30=1200>>1200\n#### 1,200" },
];

/** Eight, the last two folded over lines as in the published file. */
export const exemplarsYaml = `${[
  "doc_to_text: 'Q: {{question}}",
  "",
  "  A:'",
  "fewshot_config:",
  "  samples:",
  ...[1, 2, 3, 4, 5, 6].flatMap((n) => [`  - question: What is ${n} plus 1?`, `    target: The answer is ${n + 1}.`]),
  "  - question: What is 7 plus",
  "      1?",
  "    target: Seven and one. The answer",
  "      is 8.",
  "  - question: What is $8 plus $1?",
  "    target: The answer is 9.",
  "filter_list:",
  "- filter:",
].join("\n")}\n`;

/** A store whose files hold these texts, or rows as JSON lines. */
export function storeOf(contents: Readonly<Record<string, string | readonly object[]>>): DatasetStore {
  const folder = temporaryFolder();
  const files: Record<string, string> = {};
  for (const [name, content] of Object.entries(contents)) {
    files[name] = path.join(folder, name);
    const text = typeof content === "string" ? content : content.map((row) => `${JSON.stringify(row)}\n`).join("");
    writeFileSync(files[name], text);
  }
  return new DatasetStore({ folder, files });
}

export function choose(id: SuiteId, choice: Partial<SuiteChoice> = {}): SuiteChoice {
  return { id, limit: null, repetitions: 1, temperature: 0, topP: 1, seed: 1, ...choice };
}

/** Answers every program with the same outcome and remembers the programs. */
export class ScriptedSandbox implements Sandbox {
  readonly isolation: Sandbox["isolation"] = { place: "child", level: "full", layers: [], interpreter: "scripted" };
  readonly programs: string[] = [];
  private readonly judge: (program: string) => VerdictOutcome;

  constructor(judge: (program: string) => VerdictOutcome = () => "passed") {
    this.judge = judge;
  }

  run(program: string): ReturnType<Sandbox["run"]> {
    this.programs.push(program);
    const outcome = this.judge(program);
    return Promise.resolve({ outcome, message: outcome === "passed" ? null : "AssertionError", wallMs: 1 });
  }

  dispose(): void {}
}
