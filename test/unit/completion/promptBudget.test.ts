import { describe, expect, it } from "vitest";
import { choosePromptTokens } from "../../../src/completion/promptBudget.ts";

describe("choosePromptTokens", () => {
  it.each([
    [null, 512],
    [90, 512],
    [1023, 512],
    [1024, 1024],
    [3000, 2048],
    [20_000, 4096],
  ])("at %s tok/s of prefill gives %i tokens", (speed, tokens) => {
    expect(choosePromptTokens(speed)).toBe(tokens);
  });
});
