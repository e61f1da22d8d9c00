// Makes a suite of questions that have right and wrong answers: picks the tasks, gives every sample its seed, finds the
// question of an output, and runs the references.
import { throwIfCancelled } from "../../common/cancellation.ts";
import { AppError } from "../../common/errors.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import type { GenerationRequest } from "../subject.ts";
import type { DatasetInfo, GenerateTask, PreparedSuite, Score, ScoredOutput, SelfTest, SuiteChoice } from "../suite.ts";
import { promptsSha256 } from "./promptsSha256.ts";
import { checkChoice, evenlySpread, protocolName, samplingDifferences } from "./protocol.ts";

export interface Question {
  readonly task: GenerateTask;
  readonly score: (output: ScoredOutput, sandbox: Sandbox | null, signal: AbortSignal) => Promise<Score>;
  /** A program that passes if tests and sandbox are in order; null where scoring runs no code. */
  readonly referenceProgram: (() => string) | null;
}

export interface QualitySuite {
  readonly title: string;
  readonly protocol: string;
  /** What makes it another protocol; sampling when not given. The suite adds what the limit leaves out. */
  readonly differences?: readonly string[];
  readonly dataset: DatasetInfo;
  readonly questions: readonly Question[];
}

export function prepareQualitySuite(choice: SuiteChoice, suite: QualitySuite): PreparedSuite {
  checkChoice(choice);
  const { title, dataset, questions: all, differences = samplingDifferences(choice) } = suite;
  const questions = evenlySpread(all, choice.limit);
  const isPart = questions.length < all.length;
  const part = isPart ? [`${questions.length} of ${all.length} tasks`] : [];
  const tasks = questions.map(({ task }) => task);
  const byId = new Map(questions.map((question) => [question.task.id, question]));
  const runsCode = questions.some(({ referenceProgram }) => referenceProgram !== null);
  return {
    info: {
      id: choice.id,
      title,
      kind: "quality",
      protocol: protocolName(suite.protocol, [...differences, ...part]),
      dataset,
      taskCount: tasks.length,
      promptsSha256: promptsSha256(tasks),
    },
    tasks,
    request: ({ request }, repetition) => sampleRequest(request, repetition),
    score: async (task, output, sandbox, signal) => {
      const question = byId.get(task.id);
      if (!question) throw new AppError("request/invalid", `suite ${choice.id} has no task "${task.id}"`);
      return question.score(output, sandbox, signal);
    },
    selfTest: runsCode ? (sandbox, onProgress, signal) => runReferences(questions, sandbox, onProgress, signal) : null,
    runsCode,
  };
}

function sampleRequest(request: GenerationRequest, repetition: number): GenerationRequest {
  return request.temperature === 0 ? request : { ...request, seed: request.seed + repetition };
}

/**
 * Rows made of one problem by taking different lines out have the same program again once the reference is back in: it
 * runs once for all of them. Of 5,815 multi-line rows 287 programs are left.
 */
async function runReferences(
  questions: readonly Question[],
  sandbox: Sandbox,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<SelfTest> {
  const idsByProgram = new Map<string, string[]>();
  for (const { task, referenceProgram } of questions) {
    if (!referenceProgram) continue;
    const program = referenceProgram();
    idsByProgram.set(program, [...(idsByProgram.get(program) ?? []), task.id]);
  }
  const failed: string[] = [];
  let total = 0;
  let done = 0;
  for (const [program, ids] of idsByProgram) {
    throwIfCancelled(signal);
    const { outcome } = await sandbox.run(program, signal);
    total += ids.length;
    if (outcome !== "passed") failed.push(...ids);
    onProgress(++done, idsByProgram.size);
  }
  return { total, passed: total - failed.length, failed };
}
