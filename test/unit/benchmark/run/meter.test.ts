import { describe, expect, it } from "vitest";
import { Meter } from "../../../../src/benchmark/run/meter.ts";

const a = { suite: "latency", subject: "A" } as const;
const b = { suite: "latency", subject: "B" } as const;
const starter = { suite: "starter", subject: "A" } as const;

describe("Meter", () => {
  it("knows nothing before anything has been done", () => {
    const meter = new Meter();
    expect(meter.remainingMs).toBeNull();
    meter.expect(a, 3);
    expect([meter.done, meter.total, meter.remainingMs]).toEqual([0, 3, null]);
  });

  it("takes what is left for as long as the same subject took, else as others took in the suite", () => {
    const meter = new Meter();
    meter.expect(a, 3);
    meter.expect(b, 2);
    meter.count(a, 100);
    expect(meter.remainingMs).toBe(2 * 100 + 2 * 100);
    meter.count(b, 1000);
    expect(meter.remainingMs).toBe(2 * 100 + 1000);
  });

  it("counts the time of scores to what was scored", () => {
    const meter = new Meter();
    meter.expect(starter, 2);
    meter.count(starter, 100);
    meter.add(starter, 50);
    expect(meter.remainingMs).toBe(150);
  });

  it("reckons with the length of texts where a suite has not begun, and forgets what was dropped", () => {
    const meter = new Meter();
    meter.expect(a, 2);
    meter.expect(starter, 2);
    meter.count(a, 100);
    // 50 tokens after 120 instead of 100 after 420.
    expect(meter.remainingMs).toBeCloseTo(100 + 2 * 100 * (80 / 205));
    meter.drop(({ suite }) => suite === "starter");
    expect([meter.done, meter.total, meter.remainingMs]).toEqual([1, 2, 100]);
  });
});
