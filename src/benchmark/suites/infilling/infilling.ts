// HumanEval infilling (Bavarian et al., arXiv:2207.14255): one or several whole lines are missing in the middle of a
// solution, much as in an editor. White space is part of the answer: without the newline that ends the line, 55 % of
// the reference solutions fail.
import { multiLineInfilling, singleLineInfilling } from "../../datasets/catalogue.ts";
import type { DatasetStore } from "../../datasets/datasetStore.ts";
import type { InfillingProblem } from "../../datasets/rows.ts";
import type { PreparedSuite, ScoredOutput, SuiteChoice } from "../../suite.ts";
import { codeQuestion } from "../codeQuestion.ts";
import { otherData, samplingDifferences } from "../protocol.ts";
import { prepareQualitySuite, type Question } from "../qualitySuite.ts";

const maxTokens = 512;

export type MissingLines = "single" | "multi";

export async function prepareInfilling(
  missing: MissingLines,
  choice: SuiteChoice,
  store: DatasetStore,
): Promise<PreparedSuite> {
  const { info, rows, isPublished } = await store.load(missing === "single" ? singleLineInfilling : multiLineInfilling);
  return prepareQualitySuite(choice, {
    title: missing === "single" ? "Infilling, single line" : "Infilling, several lines",
    protocol: `infill-${missing}-greedy`,
    differences: [...samplingDifferences(choice), ...otherData(isPublished)],
    dataset: info,
    questions: rows.map((problem) => middleQuestion(problem, missing, choice)),
  });
}

/** What stands between the problem's prompt and suffix, both of which end and begin at the start of a line. */
export function middleQuestion(
  problem: InfillingProblem,
  missing: MissingLines,
  { temperature, topP, seed }: SuiteChoice,
): Question {
  return codeQuestion({
    task: {
      kind: "generate",
      id: problem.id,
      cluster: clusterOf(problem.id),
      request: {
        prompt: { kind: "fim", prefix: problem.prompt, suffix: problem.suffix },
        maxTokens,
        maxLines: missing === "single" ? 1 : 0,
        stop: [],
        temperature,
        topP,
        seed,
        ignoreEnd: false,
        timeLimitMs: 0,
      },
    },
    problem,
    suffix: problem.suffix,
    complete: missing === "single" ? completeLine : ({ text }) => text,
    measures: (completion) => ({ "exact-match": completion.trim() === problem.solution.trim() }),
  });
}

/**
 * Everything up to the first newline, and the newline. With `maxLines` 1 the engine ends before the newline and says
 * "lines"; then it was there. A text that ended for another reason had none, and gets none.
 */
export function completeLine({ text, stopReason }: ScoredOutput): string {
  const end = text.indexOf("\n");
  if (end >= 0) return text.slice(0, end + 1);
  return stopReason === "lines" ? `${text}\n` : text;
}

/** "SingleLineInfilling/HumanEval/12/L3" is made of "HumanEval/12". */
function clusterOf(id: string): string {
  return /(?:^|Infilling\/)(\w+\/\d+)(?=\/|$)/.exec(id)?.[1] ?? id;
}
