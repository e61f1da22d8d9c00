// GSM8K, two ways: eight chain-of-thought examples, comparable with the papers on LLaMA, and five rows of the training
// set. The headline is lm-evaluation-harness's strict score, as in published numbers; all three are measures.
import { createHash } from "node:crypto";
import { AppError } from "../../../common/errors.ts";
import { chainOfThoughtExemplars, gsm8kTest, gsm8kTrain } from "../../datasets/catalogue.ts";
import type { DatasetStore } from "../../datasets/datasetStore.ts";
import type { WordProblem } from "../../datasets/rows.ts";
import type { PreparedSuite, Score, SuiteChoice } from "../../suite.ts";
import { cutAtStop } from "../cutAtStop.ts";
import { otherData, samplingDifferences } from "../protocol.ts";
import { prepareQualitySuite, type Question } from "../qualitySuite.ts";
import { type AnswerStyle, extract, isSameNumber, isSameText } from "./answers.ts";
import { chainOfThoughtPrompt, fewShotPrompt } from "./prompts.ts";

const maxTokens = 512;
const shots = 5;
/** Of the first five lines of the training set, so that a part of the file does, too. */
const shotsSha256 = "b51d53e34518b266243bc3cd1ac389d2b87fa568478eaed9acb8bfc80d639e5c";

interface Protocol {
  readonly style: AnswerStyle;
  readonly title: string;
  readonly name: string;
  readonly stops: readonly string[];
  readonly prompt: (question: string) => string;
  readonly differences: readonly string[];
}

export async function prepareChainOfThought(choice: SuiteChoice, store: DatasetStore): Promise<PreparedSuite> {
  const exemplars = await store.load(chainOfThoughtExemplars);
  return prepareGsm8k(choice, store, {
    style: "chain-of-thought",
    title: "GSM8K, chain of thought",
    name: "gsm8k-cot-8shot",
    stops: ["Q:", "</s>", "<|im_end|>"],
    prompt: (question) => chainOfThoughtPrompt(exemplars.rows, question),
    differences: exemplars.isPublished ? [] : ["other examples"],
  });
}

/** The examples are the first five rows: lm-evaluation-harness draws five, by Python's random numbers. */
export async function prepareFewShot(choice: SuiteChoice, store: DatasetStore): Promise<PreparedSuite> {
  const train = await store.load(gsm8kTrain);
  const examples = train.rows.slice(0, shots);
  if (examples.length < shots) {
    throw new AppError("dataset/invalid", `${gsm8kTrain.title}: ${examples.length} rows; the prompt needs ${shots}`);
  }
  return prepareGsm8k(choice, store, {
    style: "few-shot",
    title: "GSM8K, five examples",
    name: "gsm8k-5shot-first-rows",
    stops: ["Question:", "</s>", "<|im_end|>"],
    prompt: (question) => fewShotPrompt(examples, question),
    differences: sha256Of(examples) === shotsSha256 ? [] : ["other examples"],
  });
}

async function prepareGsm8k(choice: SuiteChoice, store: DatasetStore, protocol: Protocol): Promise<PreparedSuite> {
  const { info, rows, isPublished } = await store.load(gsm8kTest);
  return prepareQualitySuite(choice, {
    title: protocol.title,
    protocol: protocol.name,
    differences: [...samplingDifferences(choice), ...protocol.differences, ...otherData(isPublished)],
    dataset: info,
    questions: rows.map((row, index) => wordQuestion(`GSM8K/${index}`, row, protocol, choice)),
  });
}

function wordQuestion(
  id: string,
  { question, answer }: WordProblem,
  { style, stops, prompt }: Protocol,
  { temperature, topP, seed }: SuiteChoice,
): Question {
  const reference = answer.slice(answer.lastIndexOf("####") + "####".length).trim();
  return {
    task: {
      kind: "generate",
      id,
      cluster: id,
      request: {
        prompt: { kind: "text", text: prompt(question) },
        maxTokens,
        maxLines: 0,
        stop: stops,
        temperature,
        topP,
        seed,
        ignoreEnd: false,
        timeLimitMs: 0,
      },
    },
    score: async ({ text }) => answerScore(cutAtStop(text, stops), style, reference),
    referenceProgram: null,
  };
}

function answerScore(text: string, style: AnswerStyle, reference: string): Score {
  const { strict, flexible, numeric } = extract(text, style);
  const measures = {
    strict: isSameText(strict, reference),
    flexible: isSameText(flexible, reference),
    numeric: isSameNumber(numeric, reference),
  };
  const shown = (found: string | null) => found?.slice(0, 40) ?? "nothing";
  const detail = `strict ${shown(strict)}, flexible ${shown(flexible)}, numeric ${shown(numeric)}; right is ${reference}`;
  return { isCorrect: measures.strict, verdict: null, measures, detail };
}

function sha256Of(examples: readonly WordProblem[]): string {
  return createHash("sha256").update(JSON.stringify(examples)).digest("hex");
}
