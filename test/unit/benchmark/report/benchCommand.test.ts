import { writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { describe, expect, it } from "vitest";
import { parseRecord } from "../../../../src/benchmark/record/parse.ts";
import { benchCommand, quoted } from "../../../../src/benchmark/report/benchCommand.ts";
import type { RunPlan } from "../../../../src/benchmark/run/plan.ts";
import { benchCommand as cliCommand } from "../../../../src/cli/bench.ts";
import { readPlan } from "../../../../src/cli/benchPlan.ts";
import type { OptionValues } from "../../../../src/cli/command.ts";
import type { SyntheticModel } from "../../../../src/protocol/model.ts";
import { examplePlan, exampleRun, recordText } from "../../../support/benchmarkRecord.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

const recordOf = (plan: RunPlan) => parseRecord(recordText([{ ...exampleRun, plan }]));
const commandOf = (plan: RunPlan) => benchCommand(recordOf(plan), "starter.gguf");

const shape: SyntheticModel = {
  architecture: "llama",
  layerCount: 32,
  embeddingLength: 4096,
  feedForwardLength: 11_008,
  vocabularySize: 32_000,
  parameterCount: 7e9,
  bytes: 1e9,
  layersBytes: 9e8,
  kvBytesPerToken: 1000,
  bytesByType: {},
};

async function planOf(args: readonly string[], folder: string): Promise<RunPlan> {
  const { values } = parseArgs({ args: [...args.slice(1)], options: cliCommand.options });
  const sources = { productFolder: folder, folder, describe: async () => shape };
  return (await readPlan(values as OptionValues, sources)).plan;
}

describe("benchCommand", () => {
  it.each([
    "--model a.gguf --model b.gguf --mode dense,exact --suite latency,starter",
    "--model a.gguf --suite humaneval --temperature 0.2 --top-p 0.95 --repetitions 20",
    "--model a.gguf --suite latency --repetitions 1 --limit 3 --threads 4 --device cpu",
    "--server http://127.0.0.1:11434=coder:7b --server http://127.0.0.1:8080#llama-server --suite latency,infill-single",
    "--shapes 7b,13b --types q4_0,q8_0 --active 0.2 --mode dense,exact --suite sizes",
    "--model a.gguf --shapes 7b --mode dense --suite latency,sizes",
  ])("does again what was asked by %s", async (text) => {
    const folder = temporaryFolder();
    const inFolder = (args: readonly string[]) =>
      args.map((arg) => (arg.endsWith(".gguf") ? path.join(folder, arg) : arg));
    for (const name of ["a.gguf", "b.gguf"]) writeFileSync(path.join(folder, name), "");
    const plan = await planOf(["bench", ...inFolder(text.split(" "))], folder);
    const { args, isExact } = commandOf(plan);
    expect(isExact).toBe(true);
    expect(await planOf(inFolder(args), folder)).toEqual(plan);
  });

  it("does not name the model that ships with Hotpath", async () => {
    const [model] = examplePlan.subjects;
    if (model?.kind !== "model") throw new Error("the first subject is a model");
    const plan = {
      ...examplePlan,
      subjects: [{ ...model, spec: { ...model.spec, path: "C:\\Hotpath\\starter.gguf" } }],
    };
    expect(commandOf(plan).args).not.toContain("--model");
  });

  it("admits what one command cannot say", () => {
    const [dense, exact, , few] = examplePlan.subjects;
    const [latency, starter] = examplePlan.suites;
    if (dense?.kind !== "model" || exact?.kind !== "model" || !few || !latency || !starter)
      throw new Error("as in the example");
    const isExact = (change: Partial<RunPlan>) =>
      commandOf({ ...examplePlan, subjects: [dense, exact], ...change }).isExact;
    const other = { ...exact, spec: { ...exact.spec, path: "/models/other.gguf" } };
    expect(isExact({})).toBe(true);
    expect(isExact({ subjects: [dense, other] })).toBe(false);
    expect(isExact({ subjects: [dense, { ...exact, spec: { ...exact.spec, threads: 3 } }] })).toBe(false);
    expect(isExact({ subjects: [exact, few] })).toBe(false);
    expect(isExact({ suites: [latency, { ...starter, limit: 5 }] })).toBe(false);
  });

  it("allows the code that was allowed, and fetches the data that was fetched", () => {
    const { run, entries } = parseRecord(recordText([exampleRun]));
    const isolation = { place: "child", level: "reduced", layers: [], interpreter: "" } as const;
    const allowed = { type: "isolation", atMs: 1, isolation, consent: "reduced" } as const;
    const args = benchCommand({ run, entries: [...entries, allowed], isTorn: false }, "").args;
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
