// The prompts of GSM8K (Cobbe et al., arXiv:2110.14168), byte for byte as lm-evaluation-harness makes them.
import type { Exemplar, WordProblem } from "../../datasets/rows.ts";

/** Task gsm8k_cot, version 3: worked examples that end in "The answer is n." */
export function chainOfThoughtPrompt(exemplars: readonly Exemplar[], question: string): string {
  const shots = exemplars.map((exemplar) => `Q: ${exemplar.question}\nA: ${exemplar.target}\n\n`);
  return `${shots.join("")}Q: ${question}\nA:`;
}

/** Task gsm8k, version 3: rows of the training set, whose answers keep their annotations and end in "#### n". */
export function fewShotPrompt(examples: readonly WordProblem[], question: string): string {
  const shots = examples.map((example) => `Question: ${example.question}\nAnswer: ${example.answer}\n\n`);
  return `${shots.join("")}Question: ${question}\nAnswer:`;
}
