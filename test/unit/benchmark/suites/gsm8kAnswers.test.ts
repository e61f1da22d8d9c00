import { describe, expect, it } from "vitest";
import { extract, isSameNumber, isSameText } from "../../../../src/benchmark/suites/gsm8k/answers.ts";

describe("Strict extraction", () => {
  it.each([
    ["So 6. The answer is 18.", "18"],
    ["The answer is 18", "1"],
    ["The answer is 18\n", "1"],
    ["The answer is 1,200 dollars.", "1,200"],
    ["The answer is 8. Or: The answer is 9.", "8."],
    ["The answer is -3 degrees", "-3"],
    ["The answer is $18.", null],
    ["the answer is 18.", null],
    ["18.", null],
  ])("of a chain of thought takes from %j %j", (text, found) => {
    expect(extract(text, "chain-of-thought").strict).toBe(found);
  });

  it.each([
    ["2+3=<<2+3=5>>5\n#### 5", "5"],
    ["#### 1,200 seats\n#### 7", "1,200"],
    ["#### -4", "-4"],
    ["#### $18", null],
    ["####18", null],
    ["The answer is 18.", null],
  ])("of an answer like the training set's takes from %j %j", (text, found) => {
    expect(extract(text, "few-shot").strict).toBe(found);
  });
});

describe("Flexible extraction", () => {
  it.each([
    ["first 3, then 18 eggs", "18"],
    ["so 18 ... done", "..."],
    ["it costs $1,200.50", "$1,200.50"],
    ["10-3", "-3"],
    ["5", "5"],
    ["none", null],
  ])("takes from %j %j", (text, found) => {
    expect(extract(text, "few-shot").flexible).toBe(found);
  });
});

describe("Comparing as lm-evaluation-harness does", () => {
  it.each([
    ["18.", "18", true],
    ["$1,200", "1,200", true],
    ["18.00", "18", false],
    ["...", "18", false],
    ["018", "18", false],
    [null, "18", false],
  ])("%j with %j is %s", (extracted, reference, isSame) => {
    expect(isSameText(extracted, reference)).toBe(isSame);
  });
});

describe("Numeric extraction", () => {
  it.each([
    ["The answer is 18", "18"],
    ["The answer is $18.00.", "18"],
    ["the Answer is: 15 - 3 = 12 eggs", "12"],
    ["The answer is 7.\nShe had 9 at first.", "7"],
    ["The answer is 6. No, the answer is 8.", "8"],
    ["3 + 4 = 7\n#### 7 (of 9", "9"],
    ["#### 1,234,567", "1234567"],
    ["so 18 ... done", "18"],
    ["10-3", "3"],
    ["10 -3", "3"],
    ["It is -3", "-3"],
    ["It is -$3.50", "-3.5"],
    ["It is \u22123", "-3"],
    ["-0", "0"],
    ["0.50", "0.5"],
    ["007", "7"],
    ["the answer is unknown, maybe 4", "4"],
    ["5 apples; the answer is clear", "5"],
    ["Rows 3,4", "4"],
    ["no number", null],
  ])("takes from %j %j", (text, found) => {
    expect(extract(text, "chain-of-thought").numeric).toBe(found);
  });

  it("compares decimals, not spellings", () => {
    expect(isSameNumber("1200", "1,200")).toBe(true);
    expect(isSameNumber("1200.5", "1,200")).toBe(false);
    expect(isSameNumber(null, "1,200")).toBe(false);
  });

  it("takes time that grows with the text's length when it is hostile", () => {
    const started = performance.now();
    for (const text of [
      "1,111".repeat(20_000),
      "-".repeat(100_000),
      "answer is ".repeat(10_000),
      "no mark ".repeat(10_000),
      `1${" ".repeat(100_000)}-`,
    ]) {
      extract(text, "chain-of-thought");
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
