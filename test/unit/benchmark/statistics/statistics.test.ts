import { describe, expect, it } from "vitest";
import { clusteredInterval, meanInterval } from "../../../../src/benchmark/statistics/bootstrap.ts";
import { differenceInterval, flipTest, holm, ratioOf } from "../../../../src/benchmark/statistics/pairs.ts";
import { describeSamples, mean, quantile, standardDeviation } from "../../../../src/benchmark/statistics/quantile.ts";
import { rateOf, wilsonInterval } from "../../../../src/benchmark/statistics/rates.ts";

// The numbers come from numpy 1.24.2, scipy 1.10.1 and statsmodels 0.13.5:
//
//   import numpy as np, scipy.stats as st
//   from statsmodels.stats.proportion import proportion_confint
//   from statsmodels.stats.contingency_tables import mcnemar
//   x = [(i * 7919 % 1009) / 7 for i in range(500)]
//   [np.quantile(x[:n], q) for n, q in [(1,.5), (2,.5), (5,.25), (20,.5), (100,.95), (500,.99), (499,.95)]]
//   np.mean(x), np.std(x, ddof=1)
//   [proportion_confint(k, n, method="wilson") for k, n in [(0,10), (10,10), (82,164), (49,164), (1000,1319), (1,1)]]
//   [mcnemar([[0,b],[c,0]], exact=True).pvalue
//     for b, c in [(0,0), (5,0), (1,9), (12,20), (3,3), (400,460), (0,1)]]
//   for n in (6, 10, 20, 30, 101, 1000):          # ranks of the interval of a median
//     j = 0
//     while st.binom.cdf(j, n, .5) <= .025: j += 1
//   r = [((i*37) % 53 / 10 + 1) / ((i*31) % 47 / 10 + 1) for i in range(60)]
//   st.gmean(r)
//   np.exp(st.bootstrap((np.log(r),), np.mean, method="percentile", n_resamples=200000,
//     random_state=np.random.default_rng(1)).confidence_interval)
//   clusters = [[(c*13 + k*7) % 5 < 2 + c % 3 for k in range(c % 5 + 1)] for c in range(40)]
//   s, m = np.array([sum(c) for c in clusters]), np.array([len(c) for c in clusters])
//   i = np.random.default_rng(1).integers(0, 40, (400000, 40))
//   np.percentile(s[i].sum(1) / m[i].sum(1), [2.5, 97.5])

const values = Array.from({ length: 500 }, (_, i) => ((i * 7919) % 1009) / 7);

describe("quantile", () => {
  it.each([
    [1, 0.5, 0.0],
    [2, 0.5, 61.142857142857146],
    [5, 0.25, 56.714285714285715],
    [20, 0.5, 65.28571428571428],
    [100, 0.95, 138.31428571428572],
    [500, 0.99, 142.42999999999998],
    [499, 0.95, 136.5857142857143],
  ])("of %i values at %f is that of NumPy", (count, q, expected) => {
    expect(quantile(values.slice(0, count), q)).toBeCloseTo(expected, 12);
  });

  it("of nothing is no number", () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("describeSamples", () => {
  it("has mean and standard deviation of NumPy", () => {
    expect(mean(values)).toBeCloseTo(71.92685714285714, 10);
    expect(standardDeviation(values)).toBeCloseTo(41.64077018113949, 10);
  });

  it.each([
    [19, [false, false, false]],
    [20, [true, false, false]],
    [99, [true, false, false]],
    [100, [true, true, false]],
    [499, [true, true, false]],
    [500, [true, true, true]],
  ])("tells of %i samples only the percentiles they can bear", (count, told) => {
    const figure = describeSamples(values.slice(0, count));
    expect([figure?.p50, figure?.p95, figure?.p99].map((percentile) => percentile !== null)).toEqual(told);
  });

  it.each([
    [6, 1],
    [10, 2],
    [20, 6],
    [30, 10],
    [101, 41],
    [1000, 469],
  ])("takes the interval of the median of %i samples from rank %i of both ends", (count, rank) => {
    const ranks = Array.from({ length: count }, (_, index) => count - index);
    expect(describeSamples(ranks)?.interval).toEqual({ low: rank, high: count + 1 - rank });
  });

  it("tells no interval of five samples, no deviation of one and nothing of none", () => {
    expect(describeSamples([3, 1, 2, 5, 4])).toMatchObject({ typical: 3, interval: null, mean: 3 });
    expect(describeSamples([7])).toEqual({
      count: 1,
      typical: 7,
      interval: null,
      mean: 7,
      sd: null,
      p50: null,
      p95: null,
      p99: null,
    });
    expect(describeSamples([])).toBeNull();
  });
});

describe("rates", () => {
  it.each([
    [0, 10, 0.0, 0.27753279986288926],
    [10, 10, 0.7224672001371106, 1.0],
    [82, 164, 0.42435704738802893, 0.5756429526119711],
    [49, 164, 0.233985809999072, 0.3727859586465512],
    [1000, 1319, 0.7343131251145444, 0.7804877948740895],
    [1, 1, 0.2065493143772374, 1.0],
  ])("of %i in %i have Wilson's interval", (correct, count, low, high) => {
    const interval = wilsonInterval(correct, count);
    expect(interval.low).toBeCloseTo(low, 12);
    expect(interval.high).toBeCloseTo(high, 12);
  });

  it("are Wilson's where samples are independent", () => {
    const rate = rateOf([[true], [false], [true], [true]]);
    expect(rate).toEqual({ count: 4, value: 0.75, interval: wilsonInterval(3, 4), method: "Wilson" });
  });

  it("are resampled by cluster where several samples are of one problem", () => {
    const clusters = Array.from({ length: 40 }, (_, c) =>
      Array.from({ length: (c % 5) + 1 }, (_, k) => (c * 13 + k * 7) % 5 < 2 + (c % 3)),
    );
    const rate = rateOf(clusters);
    expect(rate).toMatchObject({ count: 120, method: "bootstrap by problem" });
    expect(rate?.value).toBeCloseTo(0.6583333333333333, 12);
    // 5,000 draws instead of 400,000: the ends are known to about a hundredth.
    expect(Math.abs((rate?.interval?.low ?? 0) - 0.5985401459854015)).toBeLessThan(0.01);
    expect(Math.abs((rate?.interval?.high ?? 0) - 0.7232142857142857)).toBeLessThan(0.01);
  });

  it.each([
    [false, 0],
    [true, 1],
  ])("that are all %s still have an interval, of as many as there are problems", (isCorrect, value) => {
    const rate = rateOf(Array.from({ length: 10 }, () => [isCorrect, isCorrect, isCorrect]));
    expect(rate).toEqual({ count: 30, value, interval: wilsonInterval(10 * value, 10), method: "Wilson by problem" });
  });

  it("of a few problems have Wilson's interval, though their samples differ", () => {
    const problems = (count: number) => Array.from({ length: count }, (_, item) => [true, item % 2 === 0]);
    expect(rateOf(problems(5))).toEqual({
      count: 10,
      value: 0.8,
      interval: wilsonInterval(4, 5),
      method: "Wilson by problem",
    });
    expect(rateOf(problems(6))?.method).toBe("bootstrap by problem");
  });

  it("of nothing are none", () => {
    expect(rateOf([])).toBeNull();
  });
});

describe("flipTest", () => {
  const flips = (first: number, second: number) => [...Array(first).fill([1]), ...Array(second).fill([-1]), [0]];

  it.each([
    [0, 0, 1.0],
    [5, 0, 0.0625],
    [1, 9, 0.021484375],
    [12, 20, 0.21532714972272515],
    [3, 3, 1.0],
    [400, 460, 0.04416954819458915],
    [0, 1, 1.0],
  ])("of %i against %i is McNemar's exact test, as statsmodels has it", (first, second, expected) => {
    expect(flipTest(flips(first, second))).toBeCloseTo(expected, 10);
    expect(flipTest(flips(second, first))).toBeCloseTo(expected, 10);
  });

  it("turns all rows of a problem around together", () => {
    // Totals of 2, 1 and 3 with either sign: 6, 4, 2, 0 and their negatives; 4 or more in 4 of 8 ways.
    expect(
      flipTest([
        [1, 1],
        [1, -1],
        [0, -1],
        [1, 1, 1],
      ]),
    ).toBe(0.5);
    expect(flipTest([[1, 1, 1, 1, 1, 1]])).toBe(1);
  });
});

describe("holm", () => {
  it("corrects as statsmodels does", () => {
    // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.005, 0.6], method="holm")[1]
    const corrected = holm([0.01, 0.04, 0.03, 0.005, 0.6]);
    for (const [index, p] of [0.04, 0.09, 0.09, 0.025, 0.6].entries()) expect(corrected[index]).toBeCloseTo(p, 12);
  });
});

describe("differenceInterval", () => {
  it("is as wide as flips that did not show may be frequent, where none did", () => {
    // scipy.stats.binomtest(0, 10).proportion_ci(0.95, "exact").high
    const high = 0.30849710781876083;
    const interval = differenceInterval(Array.from({ length: 10 }, () => [0, 0]));
    expect(interval?.high).toBeCloseTo(high, 12);
    expect(interval?.low).toBeCloseTo(-high, 12);
  });

  it("is none where all flipped the same way, and holds the difference where some did", () => {
    expect(differenceInterval(Array.from({ length: 10 }, () => [1]))).toBeNull();
    const interval = differenceInterval(Array.from({ length: 40 }, (_, item) => [item % 4 === 0 ? 1 : 0]));
    expect(interval?.low).toBeGreaterThan(0);
    expect(interval?.low).toBeLessThan(0.25);
    expect(interval?.high).toBeGreaterThan(0.25);
  });
});

describe("ratioOf", () => {
  const pairs = Array.from({ length: 60 }, (_, i) => [((i * 37) % 53) / 10 + 1, ((i * 31) % 47) / 10 + 1] as const);

  it("is the geometric mean with the interval of SciPy", () => {
    const ratio = ratioOf(pairs);
    expect(ratio?.value).toBeCloseTo(1.0290307087892743, 12);
    expect(Math.abs((ratio?.interval?.low ?? 0) - 0.8568243997454795)).toBeLessThan(0.012);
    expect(Math.abs((ratio?.interval?.high ?? 0) - 1.2346918220374306)).toBeLessThan(0.012);
  });

  it("leaves out pairs that have no ratio", () => {
    expect(
      ratioOf([
        [0, 1],
        [1, 0],
        [4, 2],
      ]),
    ).toEqual({ count: 1, value: 2, interval: null });
    expect(ratioOf([])).toBeNull();
  });

  it("has no interval for five pairs, which hardly differ when drawn again", () => {
    expect(ratioOf(pairs.slice(0, 5))?.interval).toBeNull();
    expect(ratioOf(pairs.slice(0, 6))?.interval).not.toBeNull();
  });
});

describe("an interval by drawing again", () => {
  it("is the same every time", () => {
    expect(meanInterval(values)).toEqual(meanInterval(values));
  });

  it("is none for a statistic without a value", () => {
    expect(clusteredInterval(Array.from({ length: 10 }, () => []))).toBeNull();
  });
});
