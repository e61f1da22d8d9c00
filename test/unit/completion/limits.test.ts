import { describe, expect, it } from "vitest";
import { fitMaxTokens } from "../../../src/completion/limits.ts";

describe("fitMaxTokens", () => {
  it.each([
    [64, 4096, 64],
    [2048, 1024, 256],
    [64, 2, 1],
  ])("makes %i tokens in a context of %i to %i", (wanted, context, fitting) => {
    expect(fitMaxTokens(wanted, context)).toBe(fitting);
  });
});
