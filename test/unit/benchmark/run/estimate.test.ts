import { describe, expect, it } from "vitest";
import { estimate } from "../../../../src/benchmark/run/estimate.ts";
import { estimateRun } from "../../../../src/benchmark/run/localRun.ts";
import type { SubjectDefinition } from "../../../../src/benchmark/subject.ts";
import type { SuiteChoice, SuiteId } from "../../../../src/benchmark/suite.ts";
import { AppError } from "../../../../src/common/errors.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { model, shape } from "../../../support/benchmarkRun.ts";

const choice = (id: SuiteId, repetitions = 1, limit: number | null = null): SuiteChoice => ({
  id,
  limit,
  repetitions,
  temperature: 0,
  topP: 1,
  seed: 1,
});
const facts = { modelBytes: new Map([["A", 4e9]]), bandwidth: 20e9 };
const most = (suites: SuiteChoice[], subjects = [model("A")]) =>
  estimate({ subjects, suites, completions: "ahead" }, facts).mostMs;

describe("estimateRun", () => {
  const server = { kind: "server", id: "S", label: "S", api: "ollama", url: "http://x", model: null } as const;
  const engine = { measure: () => Promise.reject(new AppError("engine/start-failed", "no")) } as unknown as Engine;
  const here = { engine, productFolder: "" };
  const planOf = (subject: SubjectDefinition) =>
    ({ subjects: [subject], suites: [choice("latency")], completions: "ahead" }) as const;

  it("needs no engine for servers", async () => {
    const { signal } = new AbortController();
    expect((await estimateRun(planOf(server), here, signal)).mostMs).toBeGreaterThan(0);
    await expect(estimateRun(planOf(model("A")), here, signal)).rejects.toMatchObject({ code: "engine/start-failed" });
  });
});

describe("estimate", () => {
  it("holds what was measured: the starter model's latency, two rounds of two modes in 29 s", () => {
    const modelBytes = new Map([
      ["dense", 5.6e6],
      ["exact", 5.6e6],
    ]);
    const plan = {
      subjects: [model("dense"), model("exact")],
      suites: [choice("latency", 2)],
      completions: "ahead",
    } as const;
    const { leastMs, mostMs } = estimate(plan, { modelBytes, bandwidth: 6e9 });
    expect(leastMs).toBeLessThan(29_000);
    expect(mostMs).toBeGreaterThan(29_000);
    expect(mostMs / leastMs).toBeLessThan(10);
  });

  it("grows with rounds, subjects and tasks", () => {
    const once = most([choice("latency")]);
    expect(most([choice("latency", 5)])).toBeGreaterThan(4 * once);
    expect(most([choice("latency")], [model("A"), model("B")])).toBeCloseTo(2 * once);
    expect(most([choice("humaneval", 1, 10)])).toBeLessThan(most([choice("humaneval")]) / 5);
  });

  it("counts only what suites ask of a subject", () => {
    expect(most([choice("latency")], [shape("A", "7b")])).toBe(0);
    expect(most([choice("sizes")], [shape("A", "7b")])).toBeGreaterThan(0);
  });
});
