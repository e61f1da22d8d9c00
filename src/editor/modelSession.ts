// The model of this window: which one the settings name, and having it ready.
import { abortable } from "../common/cancellation.ts";
import type { Disposable } from "../common/dispose.ts";
import { AppError, toAppError } from "../common/errors.ts";
import type { Engine } from "../engine/engine.ts";
import { isSameSpec, type LoadedModel, type ModelMetadata, type ModelSpec } from "../protocol/model.ts";
import { formatBytes } from "./phrases.ts";
import type { Settings } from "./settings.ts";
import { readyModel } from "./status.ts";

export function modelSpecOf(settings: Settings, starterPath: string): ModelSpec {
  return {
    path: settings.model === "" ? starterPath : settings.model,
    device: settings.device,
    gpuLayers: settings.gpuLayers,
    contextLength: settings.contextLength,
    threads: settings.threads,
    mode: settings.mode,
  };
}

/** The engine also runs models that were never trained to fill in; here they are of no use. */
export function requireFim<T extends ModelMetadata>(model: T): T {
  if (model.fim) return model;
  const what = `${model.name} (${model.architecture}, ${model.quantization}, ${formatBytes(model.fileBytes)})`;
  throw new AppError("model/no-fim", `${what} has no fill-in-the-middle tokens`, { path: model.path });
}

interface Failure {
  readonly error: AppError;
  readonly atMs: number;
}

/** A model that did not load is not tried again with each keystroke: loading it takes time and may push others out. */
const failureKeptMs = 30_000;

export class ModelSession implements Disposable {
  readonly #engine: Pick<Engine, "state" | "load">;
  readonly #now: () => number;
  #spec: ModelSpec;
  #failure: Failure | null = null;
  #loading: { readonly result: Promise<LoadedModel>; readonly controller: AbortController } | null = null;

  constructor(engine: Pick<Engine, "state" | "load">, spec: ModelSpec, now = () => performance.now()) {
    this.#engine = engine;
    this.#now = now;
    this.#spec = spec;
  }

  get spec(): ModelSpec {
    return this.#spec;
  }

  /** Ends a load of the former model. */
  use(spec: ModelSpec): void {
    if (isSameSpec(spec, this.#spec)) return;
    this.#spec = spec;
    this.dispose();
    this.forgetFailure();
  }

  /**
   * Resolves when the model can generate. The load belongs to the window, not to the caller: a keystroke that stops
   * waiting must not throw the work away.
   */
  ready(signal?: AbortSignal): Promise<LoadedModel> {
    const model = readyModel(this.#engine.state, this.#spec);
    if (model?.fim) return Promise.resolve(model);
    if (this.#failure && this.#now() - this.#failure.atMs < failureKeptMs) return Promise.reject(this.#failure.error);
    return abortable(this.#load(), signal);
  }

  /** The next request tries again: the user asked for it, or changed something. */
  forgetFailure(): void {
    this.#failure = null;
  }

  dispose(): void {
    this.#loading?.controller.abort();
    this.#loading = null;
  }

  #load(): Promise<LoadedModel> {
    if (this.#loading) return this.#loading.result;
    const controller = new AbortController();
    const result = this.#engine.load(this.#spec, controller.signal).then(requireFim);
    const loading = { result, controller };
    this.#loading = loading;
    const end = (failure: Failure | null) => {
      if (this.#loading !== loading) return;
      this.#loading = null;
      this.#failure = failure;
    };
    result.then(
      () => end(null),
      (thrown) => {
        const error = toAppError(thrown);
        // The engine has a back-off of its own; what it lost says nothing about the model.
        end(/^(model|device)\//.test(error.code) ? { error, atMs: this.#now() } : null);
      },
    );
    return result;
  }
}
