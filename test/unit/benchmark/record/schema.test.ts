import { readFileSync } from "node:fs";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import type { RecordEntry } from "../../../../src/benchmark/record/entries.ts";
import { shapeProblem } from "../../../../src/benchmark/record/schema.ts";
import { exampleEntries, recordText } from "../../../support/benchmarkRecord.ts";
import { root } from "../../../support/sources.ts";

const schema = JSON.parse(readFileSync(path.join(root, "media", "benchmark", "record-1.schema.json"), "utf8"));
const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
/** Refuses members that the schema does not name, so that it cannot know fewer than the types. */
const isValidAndNothingElse = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(closed(schema) as object);

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const lines = recordText(exampleEntries(1))
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Json);
const everyType = {
  run: 0,
  subject: 0,
  suite: 0,
  isolation: 0,
  selfTest: 0,
  output: 0,
  typing: 0,
  score: 0,
  warning: 0,
  failure: 0,
  resume: 0,
  end: 0,
} satisfies Record<RecordEntry["type"], number>;

function closed(part: Json): Json {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== "object" || part === null) return part;
  const members = Object.fromEntries(Object.entries(part).map(([name, member]) => [name, closed(member)]));
  return "properties" in part && "required" in part ? { ...members, additionalProperties: false } : members;
}

/** The value with one thing different in it, for every thing in it. */
function* changes(value: Json): Generator<Json> {
  for (const other of [null, true, -1, 0.5, "?", "x".repeat(501), [], {}]) yield other;
  if (Array.isArray(value)) {
    for (const [index, item] of value.slice(0, 2).entries())
      for (const changed of changes(item)) yield value.with(index, changed);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _, ...without } = value as Record<string, Json>;
      yield without;
      for (const changed of changes(member)) yield { ...value, [name]: changed };
    }
    yield { ...value, unknown: 1 };
  }
}

describe("the schema of records", () => {
  it("has every member of every type of entry, and no other", () => {
    expect([...new Set(lines.map((line) => (line as { type: string }).type))].sort()).toEqual(
      Object.keys(everyType).sort(),
    );
    for (const line of lines)
      expect(isValidAndNothingElse(line), JSON.stringify(isValidAndNothingElse.errors)).toBe(true);
    expect(unused(schema, lines)).toEqual([]);
  });

  it("is understood by the reader as by ajv, whatever is changed in a line", () => {
    const examples = [...new Map(lines.map((line) => [(line as { type: string }).type, line])).values()];
    const differing: Json[] = [];
    let refused = 0;
    for (const example of examples)
      for (const changed of changes(example)) {
        const isGood = isValid(changed);
        if (!isGood) refused++;
        if (isGood !== (shapeProblem(changed) === null)) differing.push(changed);
      }
    expect(differing).toEqual([]);
    expect(refused).toBeGreaterThan(1000);
  });

  it.each([
    ["a number for a text", { subject: 5 }, '"subject" cannot be 5'],
    ["a negative time", { atMs: -1 }, '"atMs" cannot be -1'],
    ["an unknown suite", { suite: "speed" }, '"suite" cannot be "speed"'],
    ["a fraction for a count", { generatedTokens: 1.5 }, '"generatedTokens" cannot be 1.5'],
    ["a text among the times of tokens", { tokenTimes: [1, "2"] }, '"tokenTimes[1]" cannot be "2"'],
    ["a number too large for one", JSON.parse('{ "ttftMs": 1e999 }'), '"ttftMs" cannot be Infinity'],
    ["a hash that is too short", { textSha256: "ab" }, '"textSha256" cannot be "ab"'],
  ])("names %s", (_, change, message) => {
    const output = lines.find((line) => (line as { type: string }).type === "output") as object;
    expect(shapeProblem({ ...output, ...change })).toBe(message);
  });

  it("names what is nested deeper than can be shown", () => {
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    expect(shapeProblem(deep)).toBe("something nested too deeply to show is no entry of a record");
  });

  it("reads records of before a subject told what it takes of each GPU", () => {
    const subjects = lines.filter((line) => (line as { type: string }).type === "subject") as { facts: object }[];
    const isTold = subjects.map(({ facts }) => "gpuMemory" in facts);
    expect([isTold.includes(true), isTold.includes(false)]).toEqual([true, true]);
    expect(subjects.map(shapeProblem)).toEqual(subjects.map(() => null));
  });

  it("names what is missing and what is no entry", () => {
    expect(shapeProblem({ type: "end", atMs: 1, chain: "0".repeat(64) })).toBe('"status" is missing');
    expect(shapeProblem({ type: "prize" })).toBe('{"type":"prize"} is no entry of a record');
    expect(shapeProblem(7)).toBe("7 is no entry of a record");
  });
});

/** Members that the schema names and no example has. */
function unused(part: Json, examples: readonly Json[]): string[] {
  const seen = new Set<string>();
  const note = (value: Json): void => {
    if (Array.isArray(value)) value.forEach(note);
    else if (typeof value === "object" && value !== null)
      for (const [name, member] of Object.entries(value)) {
        seen.add(name);
        note(member);
      }
  };
  examples.forEach(note);
  const named = [...JSON.stringify(part).matchAll(/"required":\[([^\]]*)\]/g)].flatMap(([, names]) =>
    JSON.parse(`[${names}]`),
  );
  return [...new Set<string>(named)].filter((name) => !seen.has(name));
}
