import { describe, expect, it } from "vitest";
import { LatencyStatistics, RollingWindow } from "../../../src/completion/latency.ts";
import type { GenerateStats } from "../../../src/protocol/model.ts";

function windowOf(capacity: number, ...values: readonly number[]): RollingWindow {
  const window = new RollingWindow(capacity);
  for (const value of values) window.add(value);
  return window;
}

const stats: GenerateStats = {
  promptTokens: 100,
  reusedTokens: 0,
  cutTokens: 0,
  generatedTokens: 10,
  ttftMs: 5,
  totalMs: 10,
  prefillTokensPerSecond: 1000,
  decodeTokensPerSecond: 20,
  tokenTimesMs: null,
  sparsity: null,
  hot: null,
};

describe("RollingWindow", () => {
  it("has no quantile when it is empty", () => {
    expect(windowOf(4).quantile(0.5)).toBeNull();
  });

  it("gives the one value as every quantile", () => {
    expect(windowOf(4, 7).quantile(0.95)).toBe(7);
  });

  it("interpolates between the two nearest values", () => {
    const window = windowOf(4, 40, 10, 20, 30);
    expect(window.quantile(0)).toBe(10);
    expect(window.quantile(0.5)).toBe(25);
    expect(window.quantile(0.95)).toBeCloseTo(38.5, 10);
    expect(window.quantile(1)).toBe(40);
  });

  it("forgets the oldest when it is full", () => {
    const window = windowOf(2, 100, 1, 3);
    expect([window.count, window.sum(), window.quantile(0.5)]).toEqual([2, 4, 2]);
  });
});

describe("LatencyStatistics", () => {
  it("has no figures before the first completion", () => {
    expect(new LatencyStatistics().summary()).toEqual({
      count: 0,
      ttftP50Ms: null,
      ttftP95Ms: null,
      totalP50Ms: null,
      totalP95Ms: null,
      decodeTokensPerSecond: null,
      prefillTokensPerSecond: null,
      reuse: null,
      sparsity: null,
    });
  });

  it("weighs rates by the time they took", () => {
    const statistics = new LatencyStatistics();
    statistics.add(10, 20, stats);
    statistics.add(30, 60, { ...stats, reusedTokens: 100, prefillTokensPerSecond: 0, decodeTokensPerSecond: 5 });
    expect(statistics.summary()).toEqual({
      count: 2,
      ttftP50Ms: 20,
      ttftP95Ms: 29,
      totalP50Ms: 40,
      totalP95Ms: 58,
      decodeTokensPerSecond: 8,
      prefillTokensPerSecond: 1000,
      reuse: 0.5,
      sparsity: null,
    });
  });

  it("weighs sparsity by tokens, and its hot share by active neurons", () => {
    const statistics = new LatencyStatistics();
    const sparsity = { activeShare: 0.1, hotShare: 0.5, bytesPerToken: 100, denseBytesPerToken: 400 };
    statistics.add(10, 20, { ...stats, sparsity });
    statistics.add(10, 20, {
      ...stats,
      generatedTokens: 30,
      sparsity: { activeShare: 0.3, hotShare: 0.1, bytesPerToken: 200, denseBytesPerToken: 400 },
    });
    const mean = statistics.summary().sparsity;
    expect(mean?.activeShare).toBeCloseTo(0.25, 10);
    expect(mean?.hotShare).toBeCloseTo(0.14, 10);
    expect([mean?.bytesPerToken, mean?.denseBytesPerToken]).toEqual([175, 400]);
  });

  it("forgets the oldest completion when it is full", () => {
    const statistics = new LatencyStatistics(1);
    statistics.add(10, 20, stats);
    statistics.add(30, 60, { ...stats, decodeTokensPerSecond: 5 });
    expect(statistics.summary()).toMatchObject({ count: 1, ttftP50Ms: 30, decodeTokensPerSecond: 5 });
  });
});
