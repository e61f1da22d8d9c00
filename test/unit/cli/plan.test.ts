import { describe, expect, it } from "vitest";
import { imaginedGpu } from "../../../src/cli/imaginedGpu.ts";
import { parseSize } from "../../../src/cli/plan.ts";
import { describePlan } from "../../../src/cli/planText.ts";
import type { PlanAnswer, PlannedLayer } from "../../../src/protocol/planning.ts";

const layer: PlannedLayer = {
  attention: "gpu",
  ffn: "split",
  kind: "gated ReLU",
  unitCount: 11008,
  hotCount: 1600,
  activeShare: 0.11,
  hotActivity: 0.42,
  attentionMs: 0.1,
  gpuMs: 0.2,
  cpuMs: 1,
  exchangeMs: 0.03,
  totalMs: 1.13,
  gpuBytes: 10e6,
  cpuBytes: 50e6,
  vramBytes: 60e6,
};

function planOf(layers: PlannedLayer[], changes: Partial<PlanAnswer> = {}): PlanAnswer {
  return {
    model: {
      path: "m.gguf",
      name: "seven",
      format: "GGUF",
      method: null,
      architecture: "llama",
      quantization: "Q4_0",
      license: null,
      parameterCount: 7e9,
      fileBytes: 3.8e9,
      layerCount: layers.length,
      embeddingLength: 4096,
      trainedContextLength: 4096,
      vocabularySize: 32000,
      fim: null,
      maxLines: null,
    },
    mode: "exact",
    contextLength: 4096,
    sequenceCount: 4,
    isStock: false,
    reason: "hot/cold should be 1.80 times as fast as llama.cpp alone at its best",
    notes: [],
    tokensPerSecond: 22.44,
    stockTokensPerSecond: 12.5,
    headOnGpu: true,
    headMs: 0.4,
    headBytes: 100e6,
    budgetBytes: 7e9,
    vramUsedBytes: 6.9e9,
    ramNeededBytes: 3.7e9,
    layers,
    rates: {
      cpuStreamGBps: 60,
      cpuGather2kGBps: 45,
      cpuGather4kGBps: 55,
      gpuGBps: 223,
      gpuLayerUs: 25,
      exchangeUs: 25,
    },
    ...changes,
  };
}

const surroundings = { gpuName: "a card", ramBytes: 16e9, vramBytes: 8e9 };

describe("describePlan", () => {
  it("merges layers whose parts are in the same places", () => {
    const layers = [
      { ...layer, attention: "cpu", hotCount: 0, hotActivity: 0 } as const,
      layer,
      { ...layer, hotCount: 1664, hotActivity: 0.44 },
      { ...layer, ffn: "gpu", hotCount: 0 } as const,
    ];
    expect(describePlan(planOf(layers), surroundings)).toBe(
      [
        "seven: llama, Q4_0, 4 layers, 3.80 GB",
        "exact mode, 8.00 GB of GPU memory (a card), 4096 tokens of context for 4 files",
        "",
        "Predicted: 22.4 tokens/s, 1.8 times llama.cpp alone at its best (12.5)",
        "Why: hot/cold should be 1.80 times as fast as llama.cpp alone at its best",
        "",
        "  layers  attention  feed-forward      hot on the GPU              their activity  active  ms/token",
        "  0       CPU        CPU, active only                                              11 %    1.13",
        "  1-2     GPU        GPU + CPU         1600-1664 of 11008 neurons  42-44 %         11 %    2.26",
        "  3       GPU        GPU                                                                   1.13",
        "  output             GPU                                                                   0.40",
        "",
        "time per token  attention 0.4 ms, feed-forward on the CPU 4.0 ms beside 0.8 ms on the GPU, exchange 0.1 ms, output 0.4 ms",
        "read per token  200 MB from RAM, 140 MB from GPU memory",
        "memory          3.70 GB of RAM, 6.90 GB of 7.00 GB that the GPU has for it",
        "reckoned with   RAM 60.0 GB/s streaming, 55.0 GB/s in 4 kB records; GPU 223 GB/s, 25 us per exchange",
      ].join("\n"),
    );
  });

  it("says when going back to another file means reading it anew", () => {
    const text = describePlan(planOf([layer], { sequenceCount: 1 }), surroundings);
    expect(text).toContain(", 4096 tokens of context for 1 file at a time\n");
  });

  it("says when the stock path is taken", () => {
    const text = describePlan(planOf([layer], { isStock: true, reason: "it fits" }), surroundings);
    expect(text).toContain("llama.cpp alone, 8.00 GB");
    expect(text).toContain("Predicted: 22.4 tokens/s\nWhy: it fits");
  });

  it("says when the memory does not suffice, and what was assumed", () => {
    const text = describePlan(planOf([layer], { notes: ["no profile: x"] }), { ...surroundings, ramBytes: 1e9 });
    expect(text).toContain("Does not fit: 3.70 GB of RAM are needed, 1.00 GB are there.");
    expect(text).toMatch(/\n\nNote: no profile: x\.$/);
  });
});

describe("parseSize", () => {
  it.each([
    ["8GB", 8e9],
    ["7.5 GB", 7.5e9],
    ["8GiB", 8 * 1024 ** 3],
    ["512m", 512e6],
    ["0", 0],
  ])("reads %j", (text, bytes) => {
    expect(parseSize("vram", text)).toBe(bytes);
  });

  it.each(["8", "GB", "-1GB", "8 XB", "1e9GB", ""])("refuses %j", (text) => {
    expect(() => parseSize("vram", text)).toThrow("it must be a size such as 8GB");
  });
});

describe("imaginedGpu", () => {
  it("takes a usual card of that size, or the bandwidth given", () => {
    expect(imaginedGpu(8e9)).toMatchObject({ name: "taken to be like GeForce RTX 4060, 272 GB/s" });
    expect(imaginedGpu(8 * 1024 ** 3).name).toContain("4060");
    expect(imaginedGpu(24e9).rates.gpuGBps).toBeCloseTo(936 * 0.82);
    expect(imaginedGpu(500e9).name).toContain("A100");
    expect(imaginedGpu(8e9, 500).rates.gpuGBps).toBeCloseTo(410);
  });
});
