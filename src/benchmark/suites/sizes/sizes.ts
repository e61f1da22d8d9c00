// How long code takes, by the size of the model, on shapes with synthesised weights.
import type { PreparedSuite, SuiteChoice } from "../../suite.ts";
import { type PromptShape, prepareSpeedSuite } from "../speedTasks.ts";

const prompts: readonly PromptShape[] = [
  { id: "prompt-64", language: "python", tokens: 64 },
  { id: "prompt-256", language: "typescript", tokens: 256 },
];

export function prepareSizes(choice: SuiteChoice, productFolder: string): Promise<PreparedSuite> {
  const suite = { id: "sizes", title: "Model sizes", protocol: "latency-100", prompts } as const;
  return prepareSpeedSuite(suite, choice, productFolder);
}
