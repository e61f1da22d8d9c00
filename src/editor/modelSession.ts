// The model of this window: which one the settings name, and having it ready.
import { abortable } from "../common/cancellation.ts";
import type { Disposable } from "../common/dispose.ts";
import type { Engine } from "../engine/engine.ts";
import type { LoadedModel, ModelSpec } from "../protocol/model.ts";
import type { Settings } from "./settings.ts";
import { readyModel } from "./status.ts";

export function modelSpecOf(settings: Settings, starterPath: string): ModelSpec {
  return {
    path: settings.model === "" ? starterPath : settings.model,
    device: settings.device,
    gpuLayers: settings.gpuLayers,
    contextLength: settings.contextLength,
    threads: settings.threads,
  };
}

export function isSameSpec(a: ModelSpec, b: ModelSpec): boolean {
  return (
    a.path === b.path &&
    a.device === b.device &&
    a.gpuLayers === b.gpuLayers &&
    a.contextLength === b.contextLength &&
    a.threads === b.threads
  );
}

export class ModelSession implements Disposable {
  readonly #engine: Pick<Engine, "state" | "load">;
  #spec: ModelSpec;
  #loading: { readonly result: Promise<LoadedModel>; readonly controller: AbortController } | null = null;

  constructor(engine: Pick<Engine, "state" | "load">, spec: ModelSpec) {
    this.#engine = engine;
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
  }

  /**
   * Resolves when the model can generate. The load belongs to the window, not to the caller: a keystroke that stops
   * waiting must not throw the work away.
   */
  ready(signal?: AbortSignal): Promise<LoadedModel> {
    const model = readyModel(this.#engine.state, this.#spec.path);
    if (model && isSameSpec(model.spec, this.#spec)) return Promise.resolve(model);
    return abortable(this.#load(), signal);
  }

  dispose(): void {
    this.#loading?.controller.abort();
    this.#loading = null;
  }

  #load(): Promise<LoadedModel> {
    if (this.#loading) return this.#loading.result;
    const controller = new AbortController();
    const result = this.#engine.load(this.#spec, controller.signal).finally(() => {
      if (this.#loading === loading) this.#loading = null;
    });
    const loading = { result, controller };
    this.#loading = loading;
    return result;
  }
}
