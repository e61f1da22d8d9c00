import { describe, expect, it } from "vitest";
import {
  datasets,
  findDataset,
  gsm8kTest,
  humanEval,
  multiLineInfilling,
  singleLineInfilling,
} from "../../../../src/benchmark/datasets/catalogue.ts";
import { readInfillingProblems, readProblems, readWordProblems } from "../../../../src/benchmark/datasets/rows.ts";
import { publicData } from "../../../support/publicData.ts";
import { doubling, missingLine, words } from "../suites/rows.ts";

const lines = (...rows: readonly (object | string)[]) =>
  rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join("");

describe("Reading rows", () => {
  it("gives problems", () => {
    expect(readProblems(lines(doubling), "f")).toEqual([
      {
        id: "Own/0",
        prompt: doubling.prompt,
        entryPoint: "twice",
        solution: doubling.canonical_solution,
        test: doubling.test,
      },
    ]);
  });

  it("gives problems with the text after the gap", () => {
    expect(readInfillingProblems(lines(missingLine), "f")).toMatchObject([{ suffix: "    return doubled\n" }]);
  });

  it("takes lines that end as on Windows, and a last line without an end", () => {
    const text = lines(...words)
      .replaceAll("\n", "\r\n")
      .trimEnd();
    expect(readWordProblems(text, "f")).toEqual(words);
  });

  it.each([
    ["", "f is empty"],
    [lines(doubling, "{"), 'f, line 2: not JSON: "{"'],
    [lines(doubling, "", doubling), 'f, line 2: not JSON: ""'],
    [lines("[1]"), 'f, line 1: not a JSON object: "[1]"'],
    [lines("null"), 'f, line 1: not a JSON object: "null"'],
    [lines({ ...doubling, test: undefined }), 'f, line 1: field "test" is missing'],
    [lines({ ...doubling, prompt: 7 }), 'f, line 1: field "prompt" is not a text'],
    [lines(doubling, doubling), 'f, line 2: task "Own/0" was on line 1 already'],
    [
      lines({ ...doubling, entry_point: "a); b(" }),
      'f, line 1: entry_point "a); b(" is not the name of a Python function',
    ],
    [`${"x".repeat(200)}\n`, `f, line 1: not JSON: "${"x".repeat(60)}…"`],
  ])("refuses %j", (text, message) => {
    expect(() => readProblems(text, "f")).toThrow(expect.objectContaining({ code: "dataset/invalid", message }));
  });

  it("refuses an answer without its number", () => {
    const text = lines(...words, { question: "How many?", answer: "Five." });
    expect(() => readWordProblems(text, "f")).toThrow('f, line 3: the answer does not end in "#### " and a number');
  });

  it("refuses a gap without the text after it", () => {
    expect(() => readInfillingProblems(lines(doubling), "f")).toThrow('f, line 1: field "suffix" is missing');
  });
});

describe("The catalogue", () => {
  it.for([humanEval, singleLineInfilling, multiLineInfilling, gsm8kTest])(
    "knows rows and checksum of $name",
    async (dataset, context) => {
      const { info, isPublished } = await publicData(context, [dataset]).load<unknown>(dataset);
      expect(info).toEqual({ name: dataset.name, sha256: dataset.sha256, rows: dataset.rows, source: "local file" });
      expect(isPublished).toBe(true);
    },
  );

  it("finds a data set by its name, and names those there are", () => {
    expect(datasets.map(({ name }) => findDataset(name))).toEqual(datasets);
    expect(() => findDataset("mbpp")).toThrow(/there is no data set "mbpp"; known are humaneval, infill-single/);
  });
});
