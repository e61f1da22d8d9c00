import { expect, it } from "vitest";
import { readTimed } from "../../../../src/benchmark/report/speed.ts";
import { exampleOutput } from "../../../support/benchmarkRecord.ts";

it.each([
  ["a server's answer with text", { tokenTimes: null, ttftMs: 100, totalMs: 199 }, 1],
  ["a server's answer without any", { tokenTimes: [], ttftMs: 199, totalMs: 199 }, null],
  ["an answer of the engine without any", { tokenTimes: Array.from({ length: 100 }, (_, i) => 1000 + 10 * i) }, 1],
])("time per token is known of %s: %j", (_, times, expected) => {
  const output = exampleOutput({ generatedTokens: 100, ttftMs: 199, totalMs: 199, ...times });
  expect(readTimed.tpotMs(output)).toBe(expected);
});
