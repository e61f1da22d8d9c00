// What crosses process borders about models, devices and generations. Plain JSON.

/**
 * How feed-forward layers are executed. dense: every neuron, by llama.cpp. exact: neurons that do not fire are not read,
 * and the result is that of dense. predicted and threshold: neurons unlikely to matter are not read either, and the
 * result is an approximation.
 */
export type ExecutionMode = "dense" | "exact" | "predicted" | "threshold";

/** "auto": what is fastest among dense and exact. */
export const modeChoices = ["auto", "dense", "exact", "predicted", "threshold"] as const;
export type ModeChoice = (typeof modeChoices)[number];

/** Which file to run and how. Two equal specs share one loaded model. */
export interface ModelSpec {
  /** Absolute path of a GGUF file. */
  readonly path: string;
  /** "auto": GPUs when there are any; "cpu": none. */
  readonly device: "auto" | "cpu";
  /** Layers on the GPU; -1 lets the engine choose what fits. */
  readonly gpuLayers: number;
  /** Tokens one sequence can hold, prompt and answer together. 0: 4096, less when the model was trained with less. */
  readonly contextLength: number;
  /** CPU threads; 0 leaves one physical core to the editor. */
  readonly threads: number;
  readonly mode: ModeChoice;
}

export function isSameSpec(a: ModelSpec, b: ModelSpec): boolean {
  return specKey(a) === specKey(b);
}

/** Equal for specs that can share a loaded model. */
export function specKey({ path, device, gpuLayers, contextLength, threads, mode }: ModelSpec): string {
  return JSON.stringify([path, device, gpuLayers, contextLength, threads, mode]);
}

/**
 * Order of the parts in a fill-in-the-middle prompt (Bavarian et al. 2022, section 3):
 * psm `<pre>P<suf>S<mid>`, spm `<suf>S<pre>P<mid>`, spm2 `<pre><suf>S<mid>P`. prefix: the model was never trained to
 * fill in and does not see what follows the cursor.
 */
export type FimOrder = "psm" | "spm" | "spm2" | "prefix";

export interface FimInfo {
  readonly order: FimOrder;
  /** Family the order was taken from, or "metadata" when the file itself says it. */
  readonly source: string;
}

/** What the header of a model file says; costs no weights. */
export interface ModelMetadata {
  readonly path: string;
  readonly name: string;
  readonly architecture: string;
  /** For people: "Q8_0", "Q4_K - Medium", ... */
  readonly quantization: string;
  readonly format: "GGUF" | "PowerInfer";
  /** How its weights were compressed beyond quantization ("GPTQ", "SparseGPT"; metadata key hotpath.method), or null. */
  readonly method: string | null;
  readonly license: string | null;
  readonly parameterCount: number;
  readonly fileBytes: number;
  readonly layerCount: number;
  readonly embeddingLength: number;
  readonly trainedContextLength: number;
  readonly vocabularySize: number;
  /** null: the file has no fill-in-the-middle tokens and cannot complete code; it can go on with a text. */
  readonly fim: FimInfo | null;
  /** The model's own limit on lines worth showing (metadata key hotpath.max_lines), or null. */
  readonly maxLines: number | null;
}

/**
 * What a loaded model takes of a device's memory. llama.cpp's own account of its buffers, each to a hundredth of a MiB, and
 * Hotpath's of the hot neurons; without what driver and backend need for themselves, such as compiled programs. In main
 * memory every weight counts once: pages of the file that are mapped, but were packed into a buffer, make way for others.
 */
export interface DeviceMemory {
  readonly weightBytes: number;
  readonly kvBytes: number;
  /** What lies between the layers while a prompt is computed. */
  readonly computeBytes: number;
  /** Hot neurons and what they are computed in. */
  readonly hotBytes: number;
}

export function totalBytes({ weightBytes, kvBytes, computeBytes, hotBytes }: DeviceMemory): number {
  return weightBytes + kvBytes + computeBytes + hotBytes;
}

/** A device and its part of the work. */
export interface DeviceShare {
  /** "CPU", "Vulkan0", "CUDA0", ... */
  readonly name: string;
  /** "Intel Xeon", "NVIDIA GeForce RTX 4090", ... */
  readonly description: string;
  readonly kind: "cpu" | "gpu" | "accelerator";
  /** Transformer layers it runs, of `ModelMetadata.layerCount`. */
  readonly layers: number;
  /** When the model was loaded. null: it computes in the CPU's memory. */
  readonly memory: DeviceMemory | null;
}

/** The neurons of a split model that a device computes while the CPU computes the others. */
export interface HotNeurons {
  /** "Vulkan0, ggml" */
  readonly device: string;
  /** With neurons on the device, and how many neurons these are. */
  readonly layers: number;
  readonly neurons: number;
  /** Memory of the device that they take. */
  readonly vramBytes: number;
  /** Neurons that took another's place since the model was loaded. */
  readonly swaps: number;
}

export interface LoadedModel extends ModelMetadata {
  readonly spec: ModelSpec;
  /** Tokens one sequence holds. */
  readonly contextLength: number;
  /** Documents whose KV cache it keeps: 1 to 4, as memory allows. */
  readonly sequenceCount: number;
  readonly threads: number;
  readonly devices: readonly DeviceShare[];
  readonly mode: ExecutionMode;
  /** Why this mode, in one sentence for people. */
  readonly modeReason: string;
  /** When the model was loaded; null: no device has single neurons. */
  readonly hot: HotNeurons | null;
  /** Why what was learnt of a model's neurons earlier is not used, or null. */
  readonly profileNotice: string | null;
  /** Why the model does not run where it was asked to (GPU missing, out of memory, ...), or null. Never silent. */
  readonly fallback: string | null;
  /** The file of prepared weights it maps (`hotpath prepare`), or null. */
  readonly sidecar: string | null;
  /** Why a file of prepared weights that is there is not used, and what to do; or null. */
  readonly sidecarNotice: string | null;
  readonly loadMs: number;
  /** Bytes of the KV caches of all sequences. */
  readonly kvBytes: number;
}

export interface Device {
  readonly name: string;
  readonly description: string;
  readonly kind: "cpu" | "gpu" | "accelerator";
  readonly memoryBytes: number;
  readonly freeBytes: number;
}

export interface EngineLibraries {
  /** Release of llama.cpp, e.g. "v0.4.0". */
  readonly llamaVersion: string;
  /** CPU variant chosen at run time, e.g. "sapphirerapids". */
  readonly cpuVariant: string;
  readonly directory: string;
  /** One entry per backend library found: loaded, or why not. */
  readonly backends: readonly { readonly file: string; readonly loaded: boolean; readonly reason: string | null }[];
}

/**
 * fim: what is between prefix and suffix, asked for as the model was trained to fill in. text: what follows the prefix,
 * which is the whole prompt as it is, but for a token the model begins every prompt with.
 */
export type PromptForm = "fim" | "text";

export interface GenerateParams {
  readonly form: PromptForm;
  /** Text before the cursor and after it, not yet cut to the token budget. Form "text" does not look at the suffix. */
  readonly prefix: string;
  readonly suffix: string;
  /** Budget of the prompt in tokens, cut at token level. 0: what the context allows. */
  readonly maxPromptTokens: number;
  readonly maxTokens: number;
  /** Ends the text before this many line feeds (1: one line). 0: no limit. */
  readonly maxLines: number;
  /** The text ends before the first of these. */
  readonly stop: readonly string[];
  /** 0 is greedy. */
  readonly temperature: number;
  /** Draws from the likeliest tokens whose probabilities add up to this (nucleus sampling); 1: from all. */
  readonly topP: number;
  readonly seed: number;
  /** Ends the generation after this time; 0: no limit. */
  readonly timeLimitMs: number;
  /** Names the sequence whose KV cache this request continues; usually the document. */
  readonly sequenceKey: string;
  /** Tokens that end a text do not end it: for measuring a chosen length. */
  readonly ignoreEnd: boolean;
  /** Computes the whole prompt: nothing is taken from a KV cache. */
  readonly freshCache: boolean;
  /** Asks for `GenerateStats.tokenTimesMs`. */
  readonly timeTokens: boolean;
}

export type StopReason = "end" | "tokens" | "lines" | "stop" | "time";

export interface GenerateStats {
  readonly promptTokens: number;
  /** Prompt tokens taken from the sequence's KV cache. */
  readonly reusedTokens: number;
  /**
   * Tokens that found no room: of form "text", at its beginning; of form "fim", far from the cursor, where text too far
   * away to be tokenised counts for 8 bytes a token. The suffix counts only for models that are shown it.
   */
  readonly cutTokens: number;
  readonly generatedTokens: number;
  /** From the start of the work in the engine to the first token. */
  readonly ttftMs: number;
  readonly totalMs: number;
  /** Prompt tokens computed per second; 0 when none was. */
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
  /** From the start of the work in the engine to each token, one that ended the text included; null: not asked for. */
  readonly tokenTimesMs: readonly number[] | null;
  /** null: the model ran dense. */
  readonly sparsity: Sparsity | null;
  /** As the generation found them; null: no device has single neurons. */
  readonly hot: HotNeurons | null;
}

/** What decoding read of the feed-forward layers. */
export interface Sparsity {
  /** Neurons computed to the end, of all, 0 to 1. */
  readonly activeShare: number;
  /** Of the active ones, those computed on a GPU, 0 to 1; from a sample of the tokens. */
  readonly hotShare: number;
  /** Bytes of weights read per token, those outside the feed-forward layers included. */
  readonly bytesPerToken: number;
  /** The same if every neuron was read. */
  readonly denseBytesPerToken: number;
}

export interface GenerateResult {
  readonly text: string;
  readonly stopReason: StopReason;
  readonly stats: GenerateStats;
}

/** A model of random weights to write: for measuring, not for completing. */
export interface SynthesizeParams {
  /** Absolute path of the file to write. */
  readonly path: string;
  /** The model whose vocabulary it gets. */
  readonly vocabulary: string;
  /** What `hotpath synth` was given, by name; the engine knows what is allowed. */
  readonly options: Readonly<Record<string, string>>;
}

export interface SynthesizeResult {
  readonly bytes: number;
  readonly seconds: number;
}

/** What a model of random weights would be like. */
export interface SyntheticModel {
  /** "llama", "arcee", ... */
  readonly architecture: string;
  readonly layerCount: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly vocabularySize: number;
  readonly parameterCount: number;
  /** Of the file. */
  readonly bytes: number;
  /** Of the weights inside the layers; all layers are alike. */
  readonly layersBytes: number;
  /** Of all weights by type: "q4_K", "q6_K", "f32", ... */
  readonly bytesByType: Readonly<Record<string, number>>;
  /** Of keys and values in half precision, for each token of a context. */
  readonly kvBytesPerToken: number;
}

/** Prepared weights (a sidecar) to make or to check. */
export interface PrepareParams {
  /** Absolute paths of the model and of the file to make. */
  readonly model: string;
  readonly sidecar: string;
  /** Only compare a file that is there with its hashes and with the model. */
  readonly onlyCheck: boolean;
  /** Mode the model is to be used in; refused when that makes no use of prepared weights. */
  readonly mode: ModeChoice;
}

/** How far next-token probabilities are from those of llama.cpp, over the positions of a text of code. */
export interface Divergence {
  /** Kullback-Leibler divergence in nats. */
  readonly mean: number;
  readonly max: number;
  /** Share of positions with the same most likely token. */
  readonly topAgreement: number;
  readonly tokens: number;
}

export interface PrepareResult {
  readonly path: string;
  readonly bytes: number;
  /** Of them, those that were there: packed by an attempt that was interrupted, or all. */
  readonly keptBytes: number;
  readonly tensors: number;
  readonly divergence: Divergence;
  readonly seconds: number;
}
