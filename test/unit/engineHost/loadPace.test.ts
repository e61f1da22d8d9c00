import { describe, expect, it } from "vitest";
import { LoadPace } from "../../../src/engineHost/loadPace.ts";

/** What is told at each of these seconds of a load. */
function remainingAt(fractions: readonly (readonly [seconds: number, fraction: number])[]) {
  const pace = new LoadPace(5_000);
  return fractions.map(([seconds, fraction]) => pace.remainingMs(fraction, 5_000 + 1000 * seconds));
}

describe("LoadPace", () => {
  it("tells the time left from the pace so far", () => {
    expect(remainingAt([[2, 0.1]])).toEqual([18_000]);
  });

  it("says nothing in the first second, and of a load that is over soon", () => {
    expect(remainingAt([[0.9, 0.01]])).toEqual([null]);
    expect(
      remainingAt([
        [1, 0.5],
        [1.5, 0.75],
        [2, 1],
      ]),
    ).toEqual([null, null, null]);
  });

  it("goes by the newer half of the time when one step is slower than another", () => {
    const read = [1, 2, 3, 4].map((seconds) => [seconds, 0.15 * seconds] as const);
    const packed = [5, 6, 7, 8].map((seconds) => [seconds, 0.6 + 0.02 * (seconds - 4)] as const);
    expect(remainingAt([...read, ...packed]).at(-1)).toBe(16_000);
  });

  it("goes on telling through a step that takes longer than all before", () => {
    expect(
      remainingAt([
        [2, 0.5],
        [12, 0.6],
      ]),
    ).toEqual([2_000, 40_000]);
  });

  it("begins anew with a load that begins anew", () => {
    expect(
      remainingAt([
        [4, 0.8],
        [5, 0.1],
        [7, 0.2],
      ]),
    ).toEqual([1_000, null, 16_000]);
  });
});
