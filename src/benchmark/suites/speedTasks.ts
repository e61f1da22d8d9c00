// Requests whose time is measured: real code of chosen lengths, answered by exactly as many tokens as asked for.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../common/errors.ts";
import type { GenerationRequest } from "../subject.ts";
import type { GenerateTask, PreparedSuite, SuiteChoice, SuiteId } from "../suite.ts";
import { promptsSha256 } from "./promptsSha256.ts";
import { evenlySpread } from "./protocol.ts";

/** Long enough for the times of 25, 50 and 100 tokens, which cover what is accepted in an editor. */
export const outputTokens = 100;
/** A model that takes longer is cut short, and its record says so. */
const timeLimitMs = 30 * 60_000;
/** Of source code in the vocabularies of code models; the record holds each subject's own count. */
const charactersPerToken = 3.3;
/** What follows the cursor in a file being edited, of all that is shown. */
const suffixShare = 0.2;

const languages = { python: "#", typescript: "//", cpp: "//" } as const;
type Language = keyof typeof languages;

export interface PromptShape {
  readonly id: string;
  readonly language: Language;
  /** About. */
  readonly tokens: number;
  readonly idleMs?: number;
}

interface SpeedSuite {
  readonly id: SuiteId;
  readonly title: string;
  readonly protocol: string;
  readonly prompts: readonly PromptShape[];
}

export async function prepareSpeedSuite(
  suite: SpeedSuite,
  { limit, seed }: SuiteChoice,
  productFolder: string,
): Promise<PreparedSuite> {
  const prompts = evenlySpread(suite.prompts, limit);
  const tasks = await Promise.all(prompts.map((prompt) => speedTask(prompt, seed, productFolder)));
  const commentOf = new Map(prompts.map(({ id, language }) => [id, languages[language]]));
  const { id, title, protocol } = suite;
  return {
    info: {
      id,
      title,
      kind: "speed",
      protocol,
      dataset: null,
      taskCount: tasks.length,
      promptsSha256: promptsSha256(tasks),
    },
    tasks,
    request: (task, repetition) => inRound(task.request, `${commentOf.get(task.id) ?? "#"} Round ${repetition + 1}\n`),
    score: null,
    selfTest: null,
    runsCode: false,
  };
}

async function speedTask({ id, language, tokens, idleMs }: PromptShape, seed: number, productFolder: string) {
  const code = await readCode(language, productFolder);
  const shown = wholeLines(code, Math.round(tokens * charactersPerToken));
  const prefix = wholeLines(shown, Math.round(shown.length * (1 - suffixShare)));
  const answer = {
    maxTokens: outputTokens,
    maxLines: 0,
    stop: [],
    temperature: 0,
    topP: 1,
    seed,
    ignoreEnd: true,
    timeLimitMs,
  } as const;
  const task: GenerateTask = {
    kind: "generate",
    id,
    cluster: id,
    request: { prompt: { kind: "fim", prefix, suffix: shown.slice(prefix.length) }, ...answer },
    // As many characters for models that cannot fill in.
    fallback: { prompt: { kind: "text", text: shown }, ...answer },
    ...(idleMs === undefined ? {} : { idleMs }),
  };
  return task;
}

/** Another first line in every round: no server finds the prompt in its cache, whatever cache it has. */
function inRound(request: GenerationRequest, line: string): GenerationRequest {
  const { prompt } = request;
  if (prompt.kind === "text") return { ...request, prompt: { ...prompt, text: line + prompt.text } };
  return { ...request, prompt: { ...prompt, prefix: line + prompt.prefix } };
}

/** The lines at the beginning that end nearest to `length` characters. */
function wholeLines(text: string, length: number): string {
  const before = text.lastIndexOf("\n", length - 1) + 1;
  const after = text.indexOf("\n", length) + 1 || text.length;
  return text.slice(0, length - before <= after - length ? before : after);
}

async function readCode(language: Language, productFolder: string): Promise<string> {
  const file = path.join(productFolder, "media", "benchmark", "prompts", `${language}.txt`);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new AppError(
      "dataset/unavailable",
      `${file}: ${(error as Error).message}; reinstall Hotpath`,
      { file },
      error,
    );
  }
}
