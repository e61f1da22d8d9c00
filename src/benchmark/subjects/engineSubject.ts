// A model in Hotpath's own engine as a subject.
import { AppError } from "../../common/errors.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Diagnostics } from "../../protocol/engine.ts";
import { type LoadedModel, type ModelSpec, specKey, totalBytes } from "../../protocol/model.ts";
import type {
  Generation,
  GenerationRequest,
  GpuMemory,
  Method,
  Objection,
  OnOpening,
  Subject,
  SubjectDefinition,
  SubjectFacts,
} from "../subject.ts";
import { noFim } from "./servers/dialect.ts";

/** SHA-256 of a model's file; the first time it may take long. */
export type HashModel = (file: string, onProgress: (fraction: number) => void, signal: AbortSignal) => Promise<string>;

interface Parts {
  readonly definition: SubjectDefinition;
  readonly spec: ModelSpec;
  readonly engine: Engine;
  readonly hash: HashModel;
}

/** A request that waited longer was kept waiting by somebody else's. */
const waitedMs = 5;

export class EngineSubject implements Subject {
  readonly definition: SubjectDefinition;
  readonly #spec: ModelSpec;
  readonly #engine: Engine;
  readonly #hash: HashModel;
  #model: LoadedModel | undefined;
  /** Of the file when it was opened. */
  #sha256: string | undefined;

  constructor({ definition, spec, engine, hash }: Parts) {
    this.definition = definition;
    this.#spec = spec;
    this.#engine = engine;
    this.#hash = hash;
  }

  async open(onProgress: OnOpening, signal: AbortSignal): Promise<SubjectFacts> {
    const onHash = (fraction: number) => onProgress("hashing its file", fraction);
    const sha256 = await this.#hash(this.#spec.path, onHash, signal);
    this.#sha256 = sha256;
    const key = specKey(this.#spec);
    const listening = this.#engine.onDidChangeState((state) => {
      const model = state.kind === "running" ? state.models.get(key) : undefined;
      if (model?.phase === "loading") onProgress("loading", model.fraction, model.remainingMs);
    });
    try {
      this.#model = await this.#engine.hold(this.#spec, signal);
    } finally {
      listening.dispose();
    }
    return factsOf(this.#model, await this.#engine.diagnostics(signal), sha256);
  }

  objection({ prompt }: GenerationRequest): Objection | null {
    if (prompt.kind === "text" || this.#model?.fim) return null;
    return noFim("the model has no tokens for it");
  }

  async generate(request: GenerationRequest, signal: AbortSignal): Promise<Generation> {
    const { prompt, ...rules } = request;
    const texts = prompt.kind === "fim" ? prompt : { prefix: prompt.text, suffix: "" };
    const started = performance.now();
    let ttftMs: number | null = null;
    const { text, stopReason, stats, overlaps, queuedMs } = await this.#engine.generate(
      {
        ...rules,
        model: this.#spec,
        form: prompt.kind,
        prefix: texts.prefix,
        suffix: texts.suffix,
        maxPromptTokens: 0,
        documentId: `benchmark ${this.definition.id}`,
        sequenceKey: "benchmark",
        priority: "background",
        // What ran before must change neither the time nor, by other roundings, the text.
        freshCache: true,
        timeTokens: true,
      },
      (chunk) => {
        if (chunk !== "") ttftMs ??= performance.now() - started;
      },
      signal,
    );
    const totalMs = performance.now() - started;
    await this.#checkFile(signal);
    return {
      text,
      stopReason,
      promptTokens: stats.promptTokens,
      generatedTokens: stats.generatedTokens,
      ttftMs: ttftMs ?? totalMs,
      totalMs,
      tokenTimesMs: (stats.tokenTimesMs ?? []).map((ms) => queuedMs + ms),
      stats,
      overlaps: overlaps + (queuedMs > waitedMs ? 1 : 0),
    };
  }

  /** What is mapped into memory changes with its file, and what was replaced is not what a record would name. */
  async #checkFile(signal: AbortSignal): Promise<void> {
    const { path } = this.#spec;
    if ((await this.#hash(path, () => {}, signal)) === this.#sha256) return;
    throw new AppError("model/unloaded", `${path} was changed since it was opened`, { path });
  }

  async unload(): Promise<void> {
    if (!this.#model) return;
    this.#model = undefined;
    await this.#engine.release(this.#spec).catch(() => undefined); // An engine that has gone holds nothing.
  }

  close(): Promise<void> {
    return this.unload();
  }
}

function factsOf(model: LoadedModel, { devices }: Diagnostics, sha256: string): SubjectFacts {
  return {
    method: methodOf(model),
    parameterCount: model.parameterCount,
    architecture: model.architecture,
    quantization: model.quantization,
    fileBytes: model.fileBytes,
    sha256,
    mode: model.mode,
    modeReason: model.modeReason,
    placement: placementOf(model),
    fitsInVram: devices.some(({ kind }) => kind === "gpu") ? isAllOnGpus(model) : null,
    contextLength: model.contextLength,
    threads: model.threads,
    loadMs: model.loadMs,
    residentBytes: mainMemoryOf(model),
    gpuMemory: gpuMemoryOf(model),
    kvBytes: model.kvBytes,
    hot: model.hot,
    server: null,
  };
}

/** How it runs tells more than how it was made: a GPTQ model with cold neurons is measured as hot/cold. */
function methodOf({ mode, method }: LoadedModel): Method {
  if (mode !== "dense") return "hot/cold";
  return method === "GPTQ" || method === "SparseGPT" ? method : "dense";
}

function isAllOnGpus({ devices, layerCount }: LoadedModel): boolean {
  const layers = devices.filter(({ kind }) => kind === "gpu").reduce((sum, device) => sum + device.layers, 0);
  return layers >= layerCount;
}

function mainMemoryOf({ devices }: LoadedModel): number | null {
  const memory = devices.find(({ kind }) => kind === "cpu")?.memory;
  return memory ? totalBytes(memory) : null;
}

function gpuMemoryOf({ devices }: LoadedModel): GpuMemory[] {
  return devices.flatMap(({ name, kind, memory }) => (kind === "gpu" && memory ? [{ device: name, ...memory }] : []));
}

function placementOf({ devices, hot, fallback }: LoadedModel): string {
  const parts = devices.filter(({ layers }) => layers > 0).map(({ name, layers }) => `${layers} layers on ${name}`);
  if (hot) parts.push(`${hot.neurons} hot neurons on ${hot.device}`);
  return [parts.join(", "), ...(fallback ? [fallback] : [])].join("; ");
}
