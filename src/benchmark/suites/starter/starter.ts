// The starter set: 40 problems that ship with Hotpath, so that it works at once and offline. They were written for Hotpath,
// which does not make them free of ideas that models know. Every problem is asked twice: for the whole body, as HumanEval
// does, and for one line of the reference between what stands before and after it, as an editor does.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../../common/errors.ts";
import { type InfillingProblem, readStarterProblems, type StarterProblem } from "../../datasets/rows.ts";
import type { PreparedSuite, SuiteChoice } from "../../suite.ts";
import { bodyQuestion } from "../humanEval/humanEval.ts";
import { middleQuestion } from "../infilling/infilling.ts";
import { samplingDifferences } from "../protocol.ts";
import { prepareQualitySuite, type Question } from "../qualitySuite.ts";

/** `productFolder` holds `media`. */
export async function prepareStarter(choice: SuiteChoice, productFolder: string): Promise<PreparedSuite> {
  const file = path.join(productFolder, "media", "benchmark", "starter.jsonl");
  const text = await readShipped(file);
  const problems = readStarterProblems(text, file);
  return prepareQualitySuite(choice, {
    title: "Starter set",
    protocol: "HE-base-greedy (bodies) and infill-single-greedy (lines)",
    differences: samplingDifferences(choice),
    dataset: {
      name: "starter",
      sha256: createHash("sha256").update(text).digest("hex"),
      rows: problems.length,
      source: "shipped",
    },
    // All bodies, then all lines: a part spread evenly over them has as many of each.
    questions: [
      ...problems.map((problem) => ofKind("body", bodyQuestion(problem, choice))),
      ...problems.map((problem) => ofKind("line", middleQuestion(lineProblem(problem), "single", choice))),
    ],
  });
}

async function readShipped(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new AppError("dataset/unavailable", `${file} cannot be read: ${(error as Error).message}`, {}, error);
  }
}

/** "Starter/7/line": the reference without one line, which stands between prompt and suffix. */
function lineProblem({ line, ...problem }: StarterProblem): InfillingProblem {
  const lines = problem.solution.split("\n");
  const at = lines.indexOf(line);
  return {
    ...problem,
    id: `${problem.id}/line`,
    prompt: problem.prompt + lines.slice(0, at).map(ended).join(""),
    solution: ended(line),
    suffix: lines.slice(at + 1).join("\n"),
  };
}

function ended(line: string): string {
  return `${line}\n`;
}

/** The two kinds differ in difficulty, so each has a measure of its own. */
function ofKind(kind: "body" | "line", question: Question): Question {
  return {
    ...question,
    score: async (output, sandbox, signal) => {
      const score = await question.score(output, sandbox, signal);
      return { ...score, measures: { ...score.measures, [kind]: score.isCorrect } };
    },
  };
}
