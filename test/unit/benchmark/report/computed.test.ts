import { describe, expect, it } from "vitest";
import { computedFacts, type MeasuredPart } from "../../../../src/benchmark/report/computed.ts";
import { exampleFacts } from "../../../support/benchmarkRecord.ts";

/** 100 MB of weights a layer beside 500 MB, and in each layer 50 MB of KV cache for each document. */
function part(layers: number, documents: number, isOnGpu = false): MeasuredPart {
  const kvBytes = 50e6 * layers * documents;
  const weightBytes = 500e6 + 100e6 * layers;
  const gpuMemory = { device: "CUDA0", weightBytes, kvBytes, computeBytes: 1e8, hotBytes: 0 };
  const facts = {
    ...exampleFacts,
    fileBytes: weightBytes,
    residentBytes: isOnGpu ? 300e6 : weightBytes + kvBytes,
    kvBytes,
    gpuMemory: isOnGpu ? [gpuMemory] : [],
  };
  return { layers, facts, outputs: [] };
}

describe("computedFacts", () => {
  it("grows the KV cache of the larger part where the smaller one is kept for more documents", () => {
    expect(computedFacts({ few: part(2, 4), many: part(16, 1), totalLayers: 32 }, 24e9)).toMatchObject({
      fileBytes: 3.7e9,
      kvBytes: 1.6e9,
      residentBytes: 5.3e9,
    });
  });

  it("tells it of the GPU, too, and leaves it out of main memory there", () => {
    const facts = computedFacts({ few: part(2, 4, true), many: part(16, 1, true), totalLayers: 32 }, 24e9);
    expect(facts).toMatchObject({ kvBytes: 1.6e9, residentBytes: 300e6 });
    expect(facts.gpuMemory).toEqual([
      { device: "CUDA0", weightBytes: 3.7e9, kvBytes: 1.6e9, computeBytes: 1e8, hotBytes: 0 },
    ]);
  });

  it("knows no memory where one of the two parts was not told", () => {
    const few = part(2, 4);
    const unknown = { ...few, facts: { ...few.facts, residentBytes: null } };
    expect(computedFacts({ few: unknown, many: part(16, 1), totalLayers: 32 }, 24e9).residentBytes).toBeNull();
  });
});
