// What is measured: a model file in a mode, a shape with synthesised weights, or a server of somebody else.
import type { DeviceMemory, GenerateStats, HotNeurons, ModelSpec, StopReason } from "../protocol/model.ts";

export type ServerApi = "openai" | "llama-server" | "ollama";

interface Named {
  /** Unique in a run; letters, digits, dots and dashes. */
  readonly id: string;
  readonly label: string;
}

export interface ModelSubject extends Named {
  readonly kind: "model";
  readonly spec: ModelSpec;
}

/** Weights nobody trained, of the shape of a model that somebody did: speed does not depend on their values. */
export interface SyntheticSubject extends Named {
  readonly kind: "synthetic";
  /** Preset of `hotpath synth`, e.g. "7b". */
  readonly shape: string;
  /** Options of `hotpath synth` besides: arch, type, active, ... */
  readonly options: Readonly<Record<string, string>>;
  /** How it runs; its path is set when the file is written. */
  readonly spec: Omit<ModelSpec, "path">;
  /**
   * null: whole. Else it has only so many layers, and with another subject of the same group but other layers the time of
   * all layers is computed: it grows by the same amount with every layer.
   */
  readonly part: { readonly group: string; readonly layers: number; readonly totalLayers: number } | null;
}

export interface ServerSubject extends Named {
  readonly kind: "server";
  readonly api: ServerApi;
  /** "http://127.0.0.1:8080" */
  readonly url: string;
  /** Its name for the model; null where a server has only one. */
  readonly model: string | null;
}

export type SubjectDefinition = ModelSubject | SyntheticSubject | ServerSubject;

/** The series a subject belongs to in charts. */
export type Method = "dense" | "hot/cold" | "GPTQ" | "SparseGPT" | "server";

/** What a subject takes of one GPU. */
export interface GpuMemory extends DeviceMemory {
  /** "Vulkan0", "CUDA0", ... */
  readonly device: string;
}

/** What was found out about a subject when it was opened. null: unknown or not applicable. */
export interface SubjectFacts {
  readonly method: Method;
  /** Parameters of the model; for a part of a synthetic one those of the whole. */
  readonly parameterCount: number | null;
  readonly architecture: string | null;
  readonly quantization: string | null;
  readonly fileBytes: number | null;
  /** Of the whole file, hex. Synthetic weights: of their recipe. */
  readonly sha256: string | null;
  readonly mode: string | null;
  readonly modeReason: string | null;
  /** "12 layers on CUDA0, 20 layers on CPU"; what `fallback` says comes after. */
  readonly placement: string | null;
  /** null: no GPU here. */
  readonly fitsInVram: boolean | null;
  readonly contextLength: number | null;
  readonly threads: number | null;
  readonly loadMs: number | null;
  /** Main memory that it needs: its weights there, each once, KV cache and buffers. null: not known. */
  readonly residentBytes: number | null;
  /** Empty: no GPU has a part of it. Records of before this was told do not have it. */
  readonly gpuMemory?: readonly GpuMemory[] | null;
  readonly kvBytes: number | null;
  readonly hot: HotNeurons | null;
  /** "llama-server b4711", as the server says. */
  readonly server: string | null;
}

/** One prompt and how it is to be answered. Greedy and seeded requests give the same text again. */
export interface GenerationRequest {
  readonly prompt:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "fim"; readonly prefix: string; readonly suffix: string };
  readonly maxTokens: number;
  /** As `GenerateParams.maxLines`: the text ends before this many line feeds; 0: no limit. */
  readonly maxLines: number;
  readonly stop: readonly string[];
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
  /** Speed runs force the length: end-of-text tokens do not end the text. */
  readonly ignoreEnd: boolean;
  readonly timeLimitMs: number;
}

export interface Generation {
  readonly text: string;
  /** null: the server does not say. */
  readonly stopReason: StopReason | null;
  readonly promptTokens: number | null;
  readonly generatedTokens: number;
  /** From sending the request to the first text, and to its end, by the client's clock. */
  readonly ttftMs: number;
  readonly totalMs: number;
  /**
   * From sending to each token, by the clock of the engine or the server where it tells. Of a server that does not count:
   * to each piece of text.
   */
  readonly tokenTimesMs: readonly number[];
  /** The engine's own account; null for servers. */
  readonly stats: GenerateStats | null;
  /** Other generations, such as completions while typing, that ran in the engine at the same time. */
  readonly overlaps: number;
}

/** What a subject cannot do of a request. */
export interface Objection {
  /** refused: it cannot be asked. limited: it can, and the figures are to be read with the message in mind. */
  readonly kind: "refused" | "limited";
  readonly message: string;
}

/** How far opening a subject is: `fraction` is 0 to 1, `remainingMs` is told of what takes long. */
export type OnOpening = (what: string, fraction: number, remainingMs?: number | null) => void;

/** Something that is measured. Every method rejects with an AppError. */
export interface Subject {
  readonly definition: SubjectDefinition;
  /** Loads it and keeps it loaded. Telling progress is up to the caller. */
  open(onProgress: OnOpening, signal: AbortSignal): Promise<SubjectFacts>;
  /** Of an open subject; null: it can do all of this. */
  objection(request: GenerationRequest): Objection | null;
  generate(request: GenerationRequest, signal: AbortSignal): Promise<Generation>;
  /** Frees its memory, not what makes the next `open` quick. Never rejects. */
  unload(): Promise<void>;
  /** Frees what `open` took, files that were synthesised included. Never rejects. */
  close(): Promise<void>;
}
