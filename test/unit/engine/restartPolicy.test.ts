import { describe, expect, it } from "vitest";
import { decideRestart } from "../../../src/engine/restartPolicy.ts";

const minute = 60_000;

describe("decideRestart", () => {
  it("waits longer after each loss", () => {
    const waits = [1, 2, 3, 4].map((losses) => decideRestart(Array(losses).fill(0), 1));
    expect(waits).toEqual([100, 500, 2_000, 8_000]);
  });

  it("gives up after the fifth loss within ten minutes", () => {
    expect(decideRestart([0, 1, 2, 3, 4], 5)).toBe(null);
  });

  it("forgets losses that lie ten minutes back", () => {
    expect(decideRestart([0, 0, 0, 0, 10 * minute], 10 * minute)).toBe(100);
  });
});
