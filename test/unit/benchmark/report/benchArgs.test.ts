import { describe, expect, it } from "vitest";
import { parseRecord } from "../../../../src/benchmark/record/parse.ts";
import { benchArgs, quoted } from "../../../../src/benchmark/report/benchArgs.ts";
import type { RunPlan } from "../../../../src/benchmark/run/plan.ts";
import { examplePlan, exampleRecord, exampleRun, recordText } from "../../../support/benchmarkRecord.ts";

const argsOf = (plan: RunPlan, starter = "starter.gguf") =>
  benchArgs(parseRecord(recordText([{ ...exampleRun, plan }])), starter);

describe("benchArgs", () => {
  it("names the plan, each model once, and what the run was allowed", () => {
    expect(benchArgs(exampleRecord(1), "starter.gguf")).toEqual([
      "bench",
      "--plan",
      "plan.json",
      "--model",
      "coder-7b.gguf",
      "--fetch",
      "--allow-code",
    ]);
  });

  it("does not name the model that ships with Hotpath", () => {
    const [model] = examplePlan.subjects;
    if (model?.kind !== "model") throw new Error("the first subject is a model");
    const spec = { ...model.spec, path: "C:\\Hotpath\\starter.gguf" };
    expect(argsOf({ ...examplePlan, subjects: [{ ...model, spec }] })).not.toContain("--model");
  });

  it("allows the code that was allowed, and fetches nothing that was not", () => {
    const { run, entries } = parseRecord(recordText([exampleRun]));
    const isolation = { place: "child", level: "reduced", layers: [], interpreter: "" } as const;
    const allowed = { type: "isolation", atMs: 1, isolation, consent: "reduced" } as const;
    const args = benchArgs({ run, entries: [...entries, allowed], isTorn: false }, "");
    expect(args.slice(-2)).toEqual(["--allow-code", "--allow-reduced"]);
    expect(args).not.toContain("--fetch");
  });
});

describe("quoted", () => {
  it.each([
    ["plain-1.gguf", "plain-1.gguf"],
    ["a b", "'a b'"],
    ["$(rm -rf .)", "'$(rm -rf .)'"],
    ["it's", `'it'\\''s'`],
    ["", "''"],
  ])("makes one word of %j", (text, word) => {
    expect(quoted(text)).toBe(word);
  });
});
