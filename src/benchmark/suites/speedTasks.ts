// Requests whose time is measured: real code of chosen lengths with some lines taken out, answered by exactly as many
// tokens as asked for.
import { createHash, randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../common/errors.ts";
import type { GenerateTask, PreparedSuite, SuiteChoice, SuiteId } from "../suite.ts";
import { inFront } from "./inFront.ts";
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
/**
 * Between prefix and suffix, so that there is something to write: a model that finds nothing missing would end at once,
 * and what it is forced to write instead may hold no text that a client sees.
 */
const holeTokens = outputTokens;
/** Requests are greedy, so that it chooses nothing; the seed of the choice makes the first lines. */
const requestSeed = 0;

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

/** The choice of a new run: no server has seen its prompts before, not in a run of the same plan either. */
export function withFreshPrompts(choice: SuiteChoice): SuiteChoice {
  return isSpeedSuite(choice.id) ? { ...choice, seed: randomInt(2 ** 31) } : choice;
}

const isSpeedSuite = (id: SuiteId) => id === "latency" || id === "sizes";

export async function prepareSpeedSuite(
  suite: SpeedSuite,
  { limit, seed }: SuiteChoice,
  productFolder: string,
): Promise<PreparedSuite> {
  const prompts = evenlySpread(suite.prompts, limit);
  const tasks = await Promise.all(prompts.map((prompt) => speedTask(prompt, productFolder)));
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
    request: (task, repetition) =>
      inFront(task.request, `${commentOf.get(task.id) ?? "#"} ${markOf(seed, task.id, repetition)}\n`),
    score: null,
    selfTest: null,
    runsCode: false,
  };
}

async function speedTask({ id, language, tokens, idleMs }: PromptShape, productFolder: string) {
  const code = await readCode(language, productFolder);
  const length = Math.round(tokens * charactersPerToken);
  const prefix = wholeLines(code, Math.round(length * (1 - suffixShare)));
  const hole = wholeLines(code.slice(prefix.length), Math.round(holeTokens * charactersPerToken));
  const suffix = wholeLines(code.slice(prefix.length + hole.length), length - prefix.length);
  const answer = {
    maxTokens: outputTokens,
    maxLines: 0,
    stop: [],
    temperature: 0,
    topP: 1,
    seed: requestSeed,
    ignoreEnd: true,
    timeLimitMs,
  } as const;
  const task: GenerateTask = {
    kind: "generate",
    id,
    cluster: id,
    request: { prompt: { kind: "fim", prefix, suffix }, ...answer },
    // About as many characters for models that cannot fill in.
    fallback: { prompt: { kind: "text", text: wholeLines(code, prefix.length + suffix.length) }, ...answer },
    ...(idleMs === undefined ? {} : { idleMs }),
  };
  return task;
}

/** The same for the same request of a run, and for no other: what comes first differs, so that no cache knows the rest. */
function markOf(seed: number, task: string, round: number): string {
  return createHash("sha256")
    .update(JSON.stringify([seed, task, round]))
    .digest("hex")
    .slice(0, 8);
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
