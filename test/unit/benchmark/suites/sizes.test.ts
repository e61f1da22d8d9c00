import os from "node:os";
import { describe, expect, it } from "vitest";
import { expandSizes, type SizesChoice } from "../../../../src/benchmark/suites/sizes/expandSizes.ts";
import { freeVideoMemory, roomHere } from "../../../../src/benchmark/suites/sizes/room.ts";
import { AppError } from "../../../../src/common/errors.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import type { SyntheticModel } from "../../../../src/protocol/model.ts";

const choice: SizesChoice = {
  shapes: ["7b"],
  types: ["q4_0"],
  modes: ["dense", "exact"],
  active: 0.11,
  spec: { device: "cpu", gpuLayers: -1, contextLength: 0, threads: 1 },
};

/** 32 layers of 100 MB, 800 MB besides. */
const model: SyntheticModel = {
  architecture: "llama",
  layerCount: 32,
  embeddingLength: 4096,
  feedForwardLength: 11008,
  vocabularySize: 8192,
  parameterCount: 7e9,
  bytes: 4e9,
  layersBytes: 3.2e9,
  bytesByType: {},
  kvBytesPerToken: 0,
};
const describeModel = async () => model;
const room = (memoryBytes: number, diskBytes = 1e12) => ({ memoryBytes, diskBytes });

describe("expandSizes", () => {
  it("measures a shape whole where it fits: with ReLU and few active neurons, and its dense twin", async () => {
    const { subjects, left } = await expandSizes(choice, describeModel, room(16e9));
    expect(left).toEqual([]);
    expect(subjects).toEqual([
      {
        kind: "synthetic",
        id: "7b-q4-0-dense",
        label: "7B Q4_0 dense",
        shape: "7b",
        options: { arch: "llama", type: "q4_0" },
        spec: { ...choice.spec, mode: "dense" },
        part: null,
      },
      {
        kind: "synthetic",
        id: "7b-q4-0-exact",
        label: "7B Q4_0 exact, 11 % active",
        shape: "7b",
        options: { arch: "llama-relu", type: "q4_0", active: "0.11" },
        spec: { ...choice.spec, mode: "exact" },
        part: null,
      },
    ]);
  });

  it.each([
    ["memory is a little too small", room(4.6e9), 16],
    ["memory is much too small", room(3.4e9), 10],
    ["the disk is too small for the files of both modes", room(16e9, 8.1e9), 12],
  ])("measures two parts, the larger one up to 16 layers, where %s", async (_, small, many) => {
    const { subjects } = await expandSizes(choice, describeModel, small);
    expect(subjects.map(({ id, part }) => [id, part])).toEqual([
      ["7b-q4-0-dense-2-layers", { group: "7b-q4-0-dense", layers: 2, totalLayers: 32 }],
      ["7b-q4-0-exact-2-layers", { group: "7b-q4-0-exact", layers: 2, totalLayers: 32 }],
      [`7b-q4-0-dense-${many}-layers`, { group: "7b-q4-0-dense", layers: many, totalLayers: 32 }],
      [`7b-q4-0-exact-${many}-layers`, { group: "7b-q4-0-exact", layers: many, totalLayers: 32 }],
    ]);
  });

  it("leaves out a shape of which not even a few layers fit", async () => {
    expect(await expandSizes(choice, describeModel, room(2.5e9))).toEqual({ subjects: [], left: ["7b q4_0"] });
  });

  it("counts the memory of a context", async () => {
    const large = async () => ({ ...model, kvBytesPerToken: 3e6 });
    expect((await expandSizes(choice, large, room(16e9))).left).toEqual(["7b q4_0"]);
  });

  it("runs a mixture of experts dense only", async () => {
    const { subjects } = await expandSizes({ ...choice, shapes: ["30b-a3b"] }, describeModel, room(64e9));
    expect(subjects.map(({ id, options }) => [id, options])).toEqual([
      ["30b-a3b-q4-0-dense", { arch: "moe", type: "q4_0" }],
    ]);
  });
});

describe("the room on this machine", () => {
  it("is what is free, in memory and on GPUs, not what there is", async () => {
    const { memoryBytes, diskBytes } = await roomHere("not/there/yet", 0);
    if (os.platform() !== "darwin") expect(memoryBytes).toBeLessThan(os.totalmem());
    expect(memoryBytes).toBeGreaterThan(0);
    expect(diskBytes).toBeGreaterThan(0);
    expect((await roomHere(".", 1e15)).memoryBytes).toBeGreaterThan(1e15);
  });

  it("counts GPUs only, and none where the engine does not answer", async () => {
    const device = { name: "x", description: "x", memoryBytes: 9e9, freeBytes: 8e9 };
    const devices = [
      { ...device, kind: "cpu" },
      { ...device, kind: "gpu" },
    ];
    const answering = { diagnostics: async () => ({ devices }) } as unknown as Engine;
    expect(await freeVideoMemory(answering)).toBe(8e9);
    const missing = { diagnostics: () => Promise.reject(new AppError("engine/start-failed", "no")) };
    expect(await freeVideoMemory(missing as unknown as Engine)).toBe(0);
  });
});
