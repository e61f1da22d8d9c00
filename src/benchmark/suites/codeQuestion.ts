// A question whose answer is Python code: it is right when the problem's test passes with it.
import { AppError } from "../../common/errors.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import type { Problem } from "../datasets/rows.ts";
import type { GenerateTask, Score, ScoredOutput } from "../suite.ts";
import type { Question } from "./qualitySuite.ts";

export interface CodeQuestion {
  readonly task: GenerateTask;
  readonly problem: Problem;
  /** Follows the completion, with nothing in between. */
  readonly suffix: string;
  /** What of an output is the completion. */
  readonly complete: (output: ScoredOutput) => string;
  /** Measures of the text itself. */
  readonly measures: (completion: string) => Readonly<Record<string, boolean>>;
}

/** The program of HumanEval and its infilling sets. */
export function composeProgram({ prompt, test, entryPoint }: Problem, completion: string, suffix: string): string {
  return `${prompt}${completion}${suffix}\n${test}\ncheck(${entryPoint})`;
}

export function codeQuestion({ task, problem, suffix, complete, measures }: CodeQuestion): Question {
  const program = (output: ScoredOutput) => composeProgram(problem, complete(output), suffix);
  return {
    task,
    // Through the same rules as a model's output, so that a rule which spoils right answers shows.
    referenceProgram: () => program({ text: problem.solution, stopReason: "end" }),
    score: async (output, sandbox, signal) =>
      verdictScore(await run(program(output), sandbox, signal), measures(complete(output))),
  };
}

function run(program: string, sandbox: Sandbox | null, signal: AbortSignal) {
  if (sandbox) return sandbox.run(program, signal);
  throw new AppError("sandbox/unavailable", "this suite runs the code that models write and was given no sandbox");
}

function verdictScore({ outcome, message }: Awaited<ReturnType<typeof run>>, measures: Score["measures"]): Score {
  return { isCorrect: outcome === "passed", verdict: outcome, measures, detail: message?.slice(0, 500) ?? null };
}
