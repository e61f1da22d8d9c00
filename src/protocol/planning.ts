// What crosses process borders about measuring a machine, profiling a model and planning where it runs. Plain JSON.
import type { ExecutionMode, ModeChoice, ModelMetadata, ModelSpec } from "./model.ts";

/** What placement is computed from. GB are 10^9 bytes, achieved by reading; those of a GPU are 0 without one. */
export interface MachineRates {
  readonly cpuStreamGBps: number;
  /** Every ninth record of 2 and of 4 kB, in ascending order. */
  readonly cpuGather2kGBps: number;
  readonly cpuGather4kGBps: number;
  readonly gpuGBps: number;
  readonly gpuLayerUs: number;
  /** A vector from the GPU to the CPU and one back. */
  readonly exchangeUs: number;
}

export interface MachineMeasurement {
  /** By number of threads, ascending. */
  readonly cpu: readonly {
    readonly threads: number;
    readonly streamGBps: number;
    readonly gather2kGBps: number;
    readonly gather4kGBps: number;
  }[];
  readonly gpus: readonly {
    readonly name: string;
    readonly description: string;
    /** Of a matrix times a vector: what decoding does. */
    readonly matvecGBps: number;
    readonly graphUs: number;
    readonly exchangeUs: number;
    readonly uploadGBps: number;
    readonly downloadGBps: number;
  }[];
  readonly rates: MachineRates;
}

export interface MeasureAnswer {
  readonly measurement: MachineMeasurement;
  readonly measuredAt: string;
  /** The processor, the GPUs and the libraries it holds for. */
  readonly machine: string;
}

export interface PlanParams {
  readonly path: string;
  readonly mode: ModeChoice;
  /** Free memory of the GPU; 0: none. */
  readonly vramBytes: number;
  /** Free memory of the machine; 0: what is free on this one. */
  readonly ramBytes: number;
  /** As in ModelSpec. */
  readonly contextLength: number;
  /** Path of a profile; empty: none. */
  readonly profile: string;
  /** null: those of this machine, measured when they are not known yet. */
  readonly rates: MachineRates | null;
  /** Replaces what `rates` says of the GPU, for one that is not here. */
  readonly gpu: Pick<MachineRates, "gpuGBps" | "gpuLayerUs" | "exchangeUs"> | null;
}

export interface PlannedLayer {
  /** Where attention and its KV cache are. */
  readonly attention: "cpu" | "gpu";
  /** cpu, gpu: llama.cpp runs it there. split: hot neurons on the GPU, if any, the others on the CPU. */
  readonly ffn: "cpu" | "gpu" | "split";
  /** "gated ReLU", "experts", ... */
  readonly kind: string;
  /** Neurons, or experts where `kind` says so. */
  readonly unitCount: number;
  readonly hotCount: number;
  readonly activeShare: number;
  /** Share of the activations that the hot ones have. */
  readonly hotActivity: number;
  readonly attentionMs: number;
  readonly gpuMs: number;
  readonly cpuMs: number;
  readonly exchangeMs: number;
  readonly totalMs: number;
  /** Read per token. */
  readonly gpuBytes: number;
  readonly cpuBytes: number;
  readonly vramBytes: number;
}

export interface ModelPlan {
  readonly model: ModelMetadata;
  readonly mode: ExecutionMode;
  /** As in LoadedModel. */
  readonly contextLength: number;
  readonly sequenceCount: number;
  /** llama.cpp alone is at least as fast: nothing hot/cold takes part. */
  readonly isStock: boolean;
  readonly reason: string;
  readonly notes: readonly string[];
  readonly tokensPerSecond: number;
  /** Of llama.cpp alone, placed as well as it can be under the same budget. */
  readonly stockTokensPerSecond: number;
  readonly headOnGpu: boolean;
  readonly headMs: number;
  readonly headBytes: number;
  /** GPU memory for weights and KV cache. */
  readonly budgetBytes: number;
  readonly vramUsedBytes: number;
  readonly ramNeededBytes: number;
  readonly layers: readonly PlannedLayer[];
}

export interface PlanAnswer extends ModelPlan {
  readonly rates: MachineRates;
}

export interface ProfileParams {
  readonly model: ModelSpec;
  /** Absolute paths of UTF-8 texts. */
  readonly files: readonly string[];
  readonly out: string;
}

export interface ProfileProgress {
  readonly tokens: number;
  readonly totalTokens: number;
}

export interface ProfiledLayer {
  readonly neuronCount: number;
  readonly tokens: number;
  /** Mean share of neurons active for a token. */
  readonly activeShare: number;
  /** Share of the activations of the hottest 5, 10, ... 100 % of the neurons. */
  readonly curve: readonly number[];
  readonly hottest26: number;
}

export interface ProfileSummary {
  readonly modelName: string;
  readonly layers: readonly ProfiledLayer[];
}
