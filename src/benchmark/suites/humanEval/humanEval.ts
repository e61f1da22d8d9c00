// HumanEval (Chen et al., arXiv:2107.03374): the model continues a file that breaks off after a signature and its
// docstring. The prompt goes in verbatim; the text ends where something new begins at the left margin.
import { humanEval } from "../../datasets/catalogue.ts";
import type { DatasetStore } from "../../datasets/datasetStore.ts";
import type { Problem } from "../../datasets/rows.ts";
import type { PreparedSuite, SuiteChoice } from "../../suite.ts";
import { codeQuestion } from "../codeQuestion.ts";
import { cutAtStop } from "../cutAtStop.ts";
import { otherData, samplingDifferences } from "../protocol.ts";
import { prepareQualitySuite, type Question } from "../qualitySuite.ts";

/** Five from the Codex paper; decorators and the fence that ends a Markdown block, as in bigcode-evaluation-harness. */
export const humanEvalStops = ["\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n@", "\n```"] as const;

const maxTokens = 768;

export async function prepareHumanEval(choice: SuiteChoice, store: DatasetStore): Promise<PreparedSuite> {
  const { info, rows, isPublished } = await store.load(humanEval);
  const { protocol, differences } = humanEvalProtocol(choice);
  return prepareQualitySuite(choice, {
    title: "HumanEval",
    protocol,
    differences: [...differences, ...otherData(isPublished)],
    dataset: info,
    questions: rows.map((problem) => bodyQuestion(problem, choice)),
  });
}

/** The body of the function that the problem's prompt begins. */
export function bodyQuestion(problem: Problem, { temperature, topP, seed }: SuiteChoice): Question {
  return codeQuestion({
    task: {
      kind: "generate",
      id: problem.id,
      cluster: problem.id,
      request: {
        prompt: { kind: "text", text: problem.prompt },
        maxTokens,
        maxLines: 0,
        stop: humanEvalStops,
        temperature,
        topP,
        seed,
        ignoreEnd: false,
        timeLimitMs: 0,
      },
    },
    problem,
    suffix: "",
    complete: ({ text }) => cutAtStop(text, humanEvalStops),
    measures: () => ({}),
  });
}

/** The two protocols numbers are published by; other ways to sample are named as what they are. */
export function humanEvalProtocol(choice: SuiteChoice): { protocol: string; differences: readonly string[] } {
  const { temperature, topP, repetitions } = choice;
  if (temperature === 0) return { protocol: "HE-base-greedy", differences: [] };
  const isUsual = [0.2, 0.8].includes(temperature) && topP === 0.95 && [20, 200].includes(repetitions);
  if (!isUsual) return { protocol: "HE-sampled", differences: samplingDifferences(choice) };
  return { protocol: `HE-sampled, temperature ${temperature}, ${repetitions} samples`, differences: [] };
}
