import { describe, expect, it } from "vitest";
import { meanPassAtK, passAtK } from "../../../../src/benchmark/suites/humanEval/passAtK.ts";

describe("pass@k", () => {
  it.each([
    [10, 3, 1, 0.3],
    [10, 3, 5, 0.916667],
    [10, 3, 10, 1],
    [200, 5, 10, 0.228284],
    [200, 5, 100, 0.970308],
    [5, 0, 5, 0],
    [4, 3, 2, 1],
    [6, 3, 1, 0.5],
  ])("of %d samples with %d right, k = %d, is %d", (samples, correct, k, expected) => {
    expect(passAtK({ samples, correct }, k)).toBeCloseTo(expected, 6);
  });

  it("is the share of right samples for k = 1", () => {
    for (let correct = 0; correct <= 50; correct++) {
      expect(passAtK({ samples: 50, correct }, 1)).toBeCloseTo(correct / 50, 12);
    }
  });

  it("is unknown when a problem has fewer than k samples", () => {
    expect(passAtK({ samples: 5, correct: 5 }, 6)).toBeNull();
    expect(
      meanPassAtK(
        [
          { samples: 10, correct: 1 },
          { samples: 5, correct: 1 },
        ],
        6,
      ),
    ).toBeNull();
    expect(meanPassAtK([], 1)).toBeNull();
  });

  it("is averaged over problems, not samples", () => {
    const counts = [
      { samples: 2, correct: 2 },
      { samples: 8, correct: 0 },
    ];
    expect(meanPassAtK(counts, 1)).toBe(0.5);
  });
});
