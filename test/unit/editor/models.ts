// A loaded model as the engine reports it, for tests that only look at a few of its fields.
import type { LoadedModel } from "../../../src/protocol/model.ts";

export const qwen: LoadedModel = {
  path: "/models/qwen.gguf",
  name: "Qwen2.5 Coder 1.5B",
  architecture: "qwen2",
  quantization: "Q8_0",
  license: "apache-2.0",
  parameterCount: 1_543_714_304,
  fileBytes: 1_646_572_512,
  layerCount: 28,
  embeddingLength: 1536,
  format: "GGUF",
  trainedContextLength: 32_768,
  vocabularySize: 151_936,
  fim: { order: "psm", source: "qwen2" },
  maxLines: null,
  spec: { path: "/models/qwen.gguf", device: "auto", gpuLayers: -1, contextLength: 0, threads: 0, mode: "auto" },
  contextLength: 4096,
  sequenceCount: 4,
  threads: 3,
  devices: [
    { name: "Vulkan0", description: "NVIDIA GeForce RTX 4090", kind: "gpu", layers: 20 },
    { name: "CPU", description: "AMD Ryzen 9 7950X", kind: "cpu", layers: 8 },
  ],
  mode: "dense",
  modeReason: "SiLU neurons are never silent",
  fallback: null,
  loadMs: 1200,
  kvBytes: 117_440_512,
  sidecar: null,
  sidecarNotice: null,
};
