import { describe, expect, it } from "vitest";
import { chainOfThoughtExemplars, gsm8kTest, gsm8kTrain } from "../../../../src/benchmark/datasets/catalogue.ts";
import type { GenerateTask } from "../../../../src/benchmark/suite.ts";
import { prepareChainOfThought, prepareFewShot } from "../../../../src/benchmark/suites/gsm8k/gsm8k.ts";
import { publicData } from "../../../support/publicData.ts";
import { choose, exemplarsYaml, storeOf, words } from "./rows.ts";

const signal = new AbortController().signal;
const [pens, seats] = words as [(typeof words)[0], (typeof words)[0]];

function ownChainOfThought() {
  return prepareChainOfThought(choose("gsm8k-cot"), storeOf({ gsm8k: words, "gsm8k-cot-examples": exemplarsYaml }));
}

function ownFewShot(train: readonly object[] = [pens, seats, pens, seats, pens, seats]) {
  return prepareFewShot(choose("gsm8k-5shot"), storeOf({ gsm8k: words, "gsm8k-train": train }));
}

describe("GSM8K with chains of thought", () => {
  it("shows eight examples and asks", async () => {
    const { tasks } = await ownChainOfThought();
    const { request, ...task } = tasks[1] as GenerateTask;
    expect(task).toEqual({ kind: "generate", id: "GSM8K/1", cluster: "GSM8K/1" });
    expect(request).toMatchObject({ maxTokens: 512, maxLines: 0, stop: ["Q:", "</s>", "<|im_end|>"], temperature: 0 });
    expect(request.prompt).toEqual({
      kind: "text",
      text:
        "Q: What is 1 plus 1?\nA: The answer is 2.\n\nQ: What is 2 plus 1?\nA: The answer is 3.\n\n" +
        "Q: What is 3 plus 1?\nA: The answer is 4.\n\nQ: What is 4 plus 1?\nA: The answer is 5.\n\n" +
        "Q: What is 5 plus 1?\nA: The answer is 6.\n\nQ: What is 6 plus 1?\nA: The answer is 7.\n\n" +
        "Q: What is 7 plus 1?\nA: Seven and one. The answer is 8.\n\nQ: What is $8 plus $1?\nA: The answer is 9.\n\n" +
        "Q: A hall has 40 rows of 30 seats. Seats?\nA:",
    });
  });

  it("has the prompts of the published rows", async (context) => {
    const store = publicData(context, [gsm8kTest, chainOfThoughtExemplars]);
    const { info } = await prepareChainOfThought(choose("gsm8k-cot"), store);
    expect(info).toMatchObject({
      protocol: "gsm8k-cot-8shot",
      taskCount: 1_319,
      promptsSha256: "9726d00d0dd7343aee31e5f7c06dbb5a405ebfd3e2bcade8de8c7daecb1ac79a",
    });
  });

  it.each([
    [
      " 40 x 30 = 1200. The answer is 1200.\n\nQ: What is 9?",
      true,
      true,
      true,
      "strict 1200, flexible 1200., numeric 1200",
    ],
    [" The answer is 1200", false, true, true, "strict 120, flexible 1200, numeric 1200"],
    [" The answer is $1,200.00.", false, false, true, "strict nothing, flexible $1,200.00., numeric 1200"],
    [" The answer is 30.", false, false, false, "strict 30, flexible 30., numeric 30"],
    [" I do not know", false, false, false, "strict nothing, flexible nothing, numeric nothing"],
  ])("scores %j three ways", async (text, strict, flexible, numeric, detail) => {
    const suite = await ownChainOfThought();
    const score = await suite.score?.(suite.tasks[1] as GenerateTask, { text, stopReason: "end" }, null, signal);
    expect(score).toEqual({
      isCorrect: strict,
      verdict: null,
      measures: { strict, flexible, numeric },
      detail: `${detail}; right is 1,200`,
    });
  });

  it("says when the examples or the rows are not the published ones", async () => {
    const { info } = await ownChainOfThought();
    expect(info.protocol).toBe("custom: gsm8k-cot-8shot with other examples, other data");
  });

  it.each([
    ["seven examples", exemplarsYaml.replace(/ {2}- question: What is 1 .*\n.*\n/, ""), "7 examples"],
    ["an example without its answer", exemplarsYaml.replace("    target: The answer is 2.\n", ""), "example 1"],
    ["texts in quotes", exemplarsYaml.replace("What is 3 plus 1?", '"What is 3 plus 1?"'), "example 3"],
    ["something else", "samples: none\n", "0 examples"],
  ])("refuses %s", async (_, yaml, message) => {
    const prepared = prepareChainOfThought(choose("gsm8k-cot"), storeOf({ gsm8k: words, "gsm8k-cot-examples": yaml }));
    await expect(prepared).rejects.toMatchObject({
      code: "dataset/invalid",
      message: expect.stringContaining(message),
    });
  });
});

describe("GSM8K with five examples", () => {
  it("shows the first five rows with their annotations and asks", async () => {
    const { tasks } = await ownFewShot();
    const { request } = tasks[0] as GenerateTask;
    const pensShot = `Question: ${pens.question}\nAnswer: She has 2+3=<<2+3=5>>5 pens.\n#### 5\n\n`;
    const seatsShot = `Question: ${seats.question}\nAnswer: 40*30=<<40*30=1200>>1200\n#### 1,200\n\n`;
    expect(request.prompt).toEqual({
      kind: "text",
      text: `${pensShot}${seatsShot}${pensShot}${seatsShot}${pensShot}Question: ${pens.question}\nAnswer:`,
    });
    expect(request.stop).toEqual(["Question:", "</s>", "<|im_end|>"]);
  });

  it("has the prompts of the published rows", async (context) => {
    const { info } = await prepareFewShot(choose("gsm8k-5shot"), publicData(context, [gsm8kTest, gsm8kTrain]));
    expect(info).toMatchObject({
      protocol: "gsm8k-5shot-first-rows",
      taskCount: 1_319,
      promptsSha256: "48735f94b1bc838a7bddb61b8476f7087ab8fc9d84d6bc80520e75ac202fc928",
    });
  });

  it("scores the references as right in all three ways", async (context) => {
    const store = publicData(context, [gsm8kTest, gsm8kTrain]);
    const suite = await prepareFewShot(choose("gsm8k-5shot"), store);
    const { rows } = await store.load(gsm8kTest);
    const wrong: string[] = [];
    for (const [index, task] of suite.tasks.entries()) {
      const text = ` ${rows[index]?.answer}`;
      const score = await suite.score?.(task as GenerateTask, { text, stopReason: "end" }, null, signal);
      if (!score || Object.values(score.measures).includes(false)) wrong.push(task.id);
    }
    expect(wrong).toEqual([]);
  });

  it("refuses a training set of four rows", async () => {
    await expect(ownFewShot([pens, seats, pens, seats])).rejects.toMatchObject({
      code: "dataset/invalid",
      message: "GSM8K, train rows: 4 rows; the prompt needs 5",
    });
  });
});
