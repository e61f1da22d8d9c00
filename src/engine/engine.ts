// What the rest of Hotpath sees of an engine, wherever it runs.
import type { Disposable } from "../common/dispose.ts";
import type { Event } from "../common/emitter.ts";
import type { AppError } from "../common/errors.ts";
import type {
  Diagnostics,
  GenerateAnswer,
  ModelState,
  Preferences,
  PrepareProgress,
  Priority,
  SynthesizeProgress,
} from "../protocol/engine.ts";
import type {
  GenerateParams,
  LoadedModel,
  ModelMetadata,
  ModelSpec,
  PrepareParams,
  PrepareResult,
  SynthesizeParams,
  SynthesizeResult,
  SyntheticModel,
} from "../protocol/model.ts";
import type {
  MeasureAnswer,
  PlanAnswer,
  PlanParams,
  ProfileParams,
  ProfileProgress,
  ProfileSummary,
} from "../protocol/planning.ts";

export type EngineState =
  /** No process; the next request starts one. */
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  /** `models`: by `specKey`. */
  | { readonly kind: "running"; readonly pid: number; readonly models: ReadonlyMap<string, ModelState> }
  /** The process was lost or did not start. `retryInMs`: it is started again then; null: only when the user asks. */
  | { readonly kind: "failed"; readonly error: AppError; readonly retryInMs: number | null };

export interface GenerateOptions extends GenerateParams {
  readonly model: ModelSpec;
  readonly priority: Priority;
  /** Newer requests for the same document end older ones. */
  readonly documentId: string;
}

/** Every method rejects with an AppError; an aborted signal rejects at once with `request/cancelled`. */
export interface Engine extends Disposable {
  readonly state: EngineState;
  readonly onDidChangeState: Event<EngineState>;
  load(model: ModelSpec, signal?: AbortSignal): Promise<LoadedModel>;
  /**
   * Loads a model and keeps it loaded, also beside the same file in another mode, until it is released or the connection
   * to the engine process ends. It is not held again by itself when the process was lost.
   */
  hold(model: ModelSpec, signal?: AbortSignal): Promise<LoadedModel>;
  /** Its memory is free afterwards, unless somebody else uses it. Nothing happens when it is not held. */
  release(model: ModelSpec): Promise<void>;
  generate(options: GenerateOptions, onText: (text: string) => void, signal?: AbortSignal): Promise<GenerateAnswer>;
  inspect(path: string, signal?: AbortSignal): Promise<ModelMetadata>;
  /** Writes a model of random weights. */
  synthesize(
    params: SynthesizeParams,
    onProgress: (progress: SynthesizeProgress) => void,
    signal?: AbortSignal,
  ): Promise<SynthesizeResult>;
  /** What `synthesize` would write. */
  describeSynthetic(params: Omit<SynthesizeParams, "path">, signal?: AbortSignal): Promise<SyntheticModel>;
  /** Makes or checks a sidecar. What was packed before it failed or was aborted is kept for the next attempt. */
  prepare(
    params: PrepareParams,
    onProgress: (progress: PrepareProgress) => void,
    signal?: AbortSignal,
  ): Promise<PrepareResult>;
  diagnostics(signal?: AbortSignal): Promise<Diagnostics>;
  measure(options: { readonly fresh: boolean }, signal?: AbortSignal): Promise<MeasureAnswer>;
  plan(params: PlanParams, signal?: AbortSignal): Promise<PlanAnswer>;
  profile(
    params: ProfileParams,
    onProgress: (progress: ProfileProgress) => void,
    signal?: AbortSignal,
  ): Promise<ProfileSummary>;
  readProfile(path: string, signal?: AbortSignal): Promise<ProfileSummary>;
  mergeProfiles(files: readonly string[], out: string, signal?: AbortSignal): Promise<ProfileSummary>;
  setPreferences(preferences: Preferences): void;
  /** Ends the process for every window and starts a fresh one; clears the restart limit. */
  restart(): Promise<void>;
}
