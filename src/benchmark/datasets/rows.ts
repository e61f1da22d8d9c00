// Reads the files of the public data sets: one JSON object per line, fields as their publishers named them.
import { AppError } from "../../common/errors.ts";

/** A row of HumanEval: complete the function that the prompt begins. */
export interface Problem {
  readonly id: string;
  readonly prompt: string;
  /** Name of the function that the test calls. */
  readonly entryPoint: string;
  /** The reference: what follows the prompt. */
  readonly solution: string;
  /** Python source that defines `check`. */
  readonly test: string;
}

/** A row of HumanEval infilling: the reference solution stands between prompt and suffix. */
export interface InfillingProblem extends Problem {
  readonly suffix: string;
}

/** A row of the starter set: one of HumanEval's kind, and a line of its reference that is also asked for alone. */
export interface StarterProblem extends Problem {
  /** Without its line feed. It stands in the reference once. */
  readonly line: string;
}

/** A row of GSM8K. */
export interface WordProblem {
  readonly question: string;
  /** Steps with `<<a=b>>` annotations, then `#### n`. */
  readonly answer: string;
}

/** A worked example in the style of GSM8K's chain-of-thought prompts. */
export interface Exemplar {
  readonly question: string;
  readonly target: string;
}

type Fields<Name extends string> = Readonly<Record<Name, string>>;

const problemFields = ["task_id", "prompt", "entry_point", "canonical_solution", "test"] as const;

export function readProblems(text: string, source: string): readonly Problem[] {
  const rows = readLines(text, source, problemFields);
  refuseBadProblems(rows, source);
  return rows.map(toProblem);
}

export function readInfillingProblems(text: string, source: string): readonly InfillingProblem[] {
  const rows = readLines(text, source, [...problemFields, "suffix"]);
  refuseBadProblems(rows, source);
  return rows.map((row) => ({ ...toProblem(row), suffix: row.suffix }));
}

export function readStarterProblems(text: string, source: string): readonly StarterProblem[] {
  const rows = readLines(text, source, [...problemFields, "line"]);
  refuseBadProblems(rows, source);
  return rows.map((row, index) => {
    const count = row.canonical_solution.split("\n").filter((line) => line === row.line).length;
    if (count === 1) return { ...toProblem(row), line: row.line };
    throw invalid(source, index, `the line ${excerpt(row.line)} stands in the reference ${count} times, not once`);
  });
}

export function readWordProblems(text: string, source: string): readonly WordProblem[] {
  return readLines(text, source, ["question", "answer"]).map(({ question, answer }, index) => {
    if (!/#### -?[0-9.,]*[0-9]$/.test(answer)) {
      throw invalid(source, index, `the answer does not end in "#### " and a number: ${excerpt(answer.slice(-40))}`);
    }
    return { question, answer };
  });
}

function toProblem(row: Fields<(typeof problemFields)[number]>): Problem {
  return {
    id: row.task_id,
    prompt: row.prompt,
    entryPoint: row.entry_point,
    solution: row.canonical_solution,
    test: row.test,
  };
}

function refuseBadProblems(rows: readonly Fields<"task_id" | "entry_point">[], source: string): void {
  const lineOf = new Map<string, number>();
  rows.forEach(({ task_id: id, entry_point: name }, index) => {
    const earlier = lineOf.get(id);
    if (earlier !== undefined) throw invalid(source, index, `task ${excerpt(id)} was on line ${earlier + 1} already`);
    lineOf.set(id, index);
    if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) {
      throw invalid(source, index, `entry_point ${excerpt(name)} is not the name of a Python function`);
    }
  });
}

function readLines<Name extends string>(text: string, source: string, names: readonly Name[]): Fields<Name>[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) throw new AppError("dataset/invalid", `${source} is empty`);
  return lines.map((line, index) => {
    const row = parseObject(line, source, index);
    for (const name of names) {
      if (typeof row[name] === "string") continue;
      throw invalid(source, index, `field "${name}" is ${name in row ? "not a text" : "missing"}`);
    }
    return row as Fields<Name>;
  });
}

function parseObject(line: string, source: string, index: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw invalid(source, index, `not JSON: ${excerpt(line)}`, error);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(source, index, `not a JSON object: ${excerpt(line)}`);
}

function invalid(source: string, index: number, what: string, cause?: unknown): AppError {
  return new AppError("dataset/invalid", `${source}, line ${index + 1}: ${what}`, { line: index + 1 }, cause);
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
