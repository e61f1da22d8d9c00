// How long code takes, by the length of what is shown to the model.
import type { PreparedSuite, SuiteChoice } from "../../suite.ts";
import { type PromptShape, prepareSpeedSuite } from "../speedTasks.ts";

const idleMs = 5000;

const prompts: readonly PromptShape[] = [
  { id: "prompt-64", language: "python", tokens: 64 },
  { id: "prompt-256", language: "typescript", tokens: 256 },
  { id: "prompt-512", language: "cpp", tokens: 512 },
  { id: "prompt-1024", language: "python", tokens: 1024 },
  // What the first completion after a moment of thinking costs: clocks and threads have gone to sleep.
  { id: "idle-256", language: "typescript", tokens: 256, idleMs },
];

export function prepareLatency(choice: SuiteChoice, productFolder: string): Promise<PreparedSuite> {
  const suite = { id: "latency", title: "Latency", protocol: "latency-100", prompts } as const;
  return prepareSpeedSuite(suite, choice, productFolder);
}
