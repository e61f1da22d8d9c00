// The engine process on this machine as an Engine: started when first needed, restarted when lost.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { abortable, throwIfCancelled } from "../common/cancellation.ts";
import { Emitter } from "../common/emitter.ts";
import { AppError, toAppError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import { productVersion as ownVersion } from "../common/productVersion.ts";
import {
  type Diagnostics,
  describeSyntheticRequest,
  diagnosticsRequest,
  type GenerateAnswer,
  type Goodbye,
  generateRequest,
  holdRequest,
  inspectRequest,
  loadRequest,
  measureRequest,
  mergeProfilesRequest,
  type Preferences,
  type PrepareProgress,
  planRequest,
  preferencesNotification,
  prepareProgress,
  prepareRequest,
  profileProgress,
  profileRequest,
  readProfileRequest,
  releaseRequest,
  type SynthesizeProgress,
  shutdownRequest,
  synthesizeProgress,
  synthesizeRequest,
  textProgress,
} from "../protocol/engine.ts";
import type {
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
import { runtimeFiles } from "../protocol/runtimeFiles.ts";
import type { Engine, EngineState, GenerateOptions } from "./engine.ts";
import type { EngineConnection, Loss } from "./engineConnection.ts";
import { connectOrStart } from "./engineProcess.ts";
import { exitReport } from "./exitReport.ts";
import { decideRestart, restartLimit } from "./restartPolicy.ts";

/** A polite engine frees its model first; one that takes longer is killed. */
const leaveWithinMs = 5_000;

export interface LocalEngineOptions {
  /** Path of dist/engineHost.js. */
  readonly engineScript: string;
  /** For the engine's log: "vscode 4711". */
  readonly client: string;
  readonly logger: Logger;
  readonly preferences: Preferences;
  readonly productVersion?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export function createLocalEngine(options: LocalEngineOptions): Engine {
  return new LocalEngine(options);
}

class LocalEngine implements Engine {
  readonly #options: LocalEngineOptions;
  readonly #onDidChangeState = new Emitter<EngineState>();
  readonly onDidChangeState = this.#onDidChangeState.event;
  #state: EngineState = { kind: "stopped" };
  #preferences: Preferences;
  #attempt = new AbortController();
  #connecting: Promise<EngineConnection> | undefined;
  #connection: EngineConnection | undefined;
  /** Loaded again after a restart, so that the next keystroke finds it ready. */
  #wantedModel: ModelSpec | undefined;
  #lossesMs: number[] = [];
  /** Fires when this client is disposed: nothing is started from then on. */
  readonly #end = new AbortController();

  constructor(options: LocalEngineOptions) {
    this.#options = options;
    this.#preferences = options.preferences;
  }

  get state(): EngineState {
    return this.#state;
  }

  async load(model: ModelSpec, signal?: AbortSignal): Promise<LoadedModel> {
    const connection = await this.#connected(signal);
    this.#wantedModel = model;
    return connection.request(loadRequest, model, signal);
  }

  async hold(model: ModelSpec, signal?: AbortSignal): Promise<LoadedModel> {
    const connection = await this.#connected(signal);
    try {
      return await connection.request(holdRequest, model, signal);
    } catch (error) {
      // The caller may have given up in the moment in which it was held.
      connection.request(releaseRequest, model).catch(() => undefined);
      throw error;
    }
  }

  async release(model: ModelSpec): Promise<void> {
    // What a lost process held is free.
    if (this.#connection) await this.#connection.request(releaseRequest, model);
  }

  async generate(
    options: GenerateOptions,
    onText: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<GenerateAnswer> {
    const connection = await this.#connected(signal);
    if (options.priority === "completion") this.#wantedModel = options.model;
    const requestId = randomUUID();
    const progress = { type: textProgress, token: requestId, onValue: onText };
    return connection.requestWithProgress(generateRequest, { ...options, requestId }, progress, signal);
  }

  async inspect(path: string, signal?: AbortSignal): Promise<ModelMetadata> {
    return (await this.#connected(signal)).request(inspectRequest, { path }, signal);
  }

  async synthesize(
    params: SynthesizeParams,
    onProgress: (progress: SynthesizeProgress) => void,
    signal?: AbortSignal,
  ): Promise<SynthesizeResult> {
    const connection = await this.#connected(signal);
    const requestId = randomUUID();
    const progress = { type: synthesizeProgress, token: requestId, onValue: onProgress };
    return connection.requestWithProgress(synthesizeRequest, { ...params, requestId }, progress, signal);
  }

  async describeSynthetic(params: Omit<SynthesizeParams, "path">, signal?: AbortSignal): Promise<SyntheticModel> {
    return (await this.#connected(signal)).request(describeSyntheticRequest, params, signal);
  }

  async prepare(
    params: PrepareParams,
    onProgress: (progress: PrepareProgress) => void,
    signal?: AbortSignal,
  ): Promise<PrepareResult> {
    const connection = await this.#connected(signal);
    const requestId = randomUUID();
    const progress = { type: prepareProgress, token: requestId, onValue: onProgress };
    return connection.requestWithProgress(prepareRequest, { ...params, requestId }, progress, signal);
  }

  async diagnostics(signal?: AbortSignal): Promise<Diagnostics> {
    return (await this.#connected(signal)).request0(diagnosticsRequest, signal);
  }

  async measure(options: { readonly fresh: boolean }, signal?: AbortSignal): Promise<MeasureAnswer> {
    return (await this.#connected(signal)).request(measureRequest, options, signal);
  }

  async plan(params: PlanParams, signal?: AbortSignal): Promise<PlanAnswer> {
    return (await this.#connected(signal)).request(planRequest, params, signal);
  }

  async profile(
    params: ProfileParams,
    onProgress: (progress: ProfileProgress) => void,
    signal?: AbortSignal,
  ): Promise<ProfileSummary> {
    const connection = await this.#connected(signal);
    const requestId = randomUUID();
    const progress = { type: profileProgress, token: requestId, onValue: onProgress };
    return connection.requestWithProgress(profileRequest, { ...params, requestId }, progress, signal);
  }

  async readProfile(path: string, signal?: AbortSignal): Promise<ProfileSummary> {
    return (await this.#connected(signal)).request(readProfileRequest, { path }, signal);
  }

  async mergeProfiles(files: readonly string[], out: string, signal?: AbortSignal): Promise<ProfileSummary> {
    return (await this.#connected(signal)).request(mergeProfilesRequest, { files, out }, signal);
  }

  setPreferences(preferences: Preferences): void {
    this.#preferences = preferences;
    this.#connection?.notify(preferencesNotification, preferences);
  }

  async restart(): Promise<void> {
    this.#lossesMs = [];
    // The loss that follows begins a fresh attempt; without a connection we begin it ourselves.
    if (this.#connection) await this.#leave(this.#connection);
    else this.#begin();
    const fresh = await this.#connected();
    if (this.#wantedModel) await fresh.request(loadRequest, this.#wantedModel);
  }

  dispose(): void {
    this.#end.abort();
    this.#connection?.close();
  }

  /** Rejected while no start is due, so a keystroke never starts what has just failed. */
  #connected(signal?: AbortSignal): Promise<EngineConnection> {
    if (this.#end.signal.aborted) return Promise.reject(disposed());
    return abortable(this.#connecting ?? this.#begin(), signal);
  }

  /** There is one attempt at a time: a new one ends the one before. */
  #begin(delayMs = 0): Promise<EngineConnection> {
    this.#attempt.abort();
    this.#attempt = new AbortController();
    const connecting = this.#connect(delayMs, AbortSignal.any([this.#end.signal, this.#attempt.signal]));
    connecting.catch(() => undefined); // Nobody may be waiting; the state says it.
    this.#connecting = connecting;
    return connecting;
  }

  async #connect(delayMs: number, signal: AbortSignal): Promise<EngineConnection> {
    await sleep(delayMs);
    throwIfCancelled(signal);
    this.#setState({ kind: "starting" });
    const { engineScript, client, logger, env = process.env, productVersion = ownVersion } = this.#options;
    const files = runtimeFiles(env);
    try {
      const connection = await connectOrStart({ engineScript, client, logger, productVersion, env, files, signal });
      if (signal.aborted) connection.close();
      throwIfCancelled(signal);
      this.#adopt(connection);
      return connection;
    } catch (thrown) {
      if (!signal.aborted) this.#afterFailedStart(toAppError(thrown));
      throw thrown;
    }
  }

  #adopt(connection: EngineConnection): void {
    this.#connection = connection;
    const tellState = () => {
      if (this.#connection !== connection) return;
      this.#setState({ kind: "running", pid: connection.file.pid, models: connection.models });
    };
    connection.onDidChangeModels(tellState);
    connection.onDidLose((loss) => this.#onLoss(connection, loss));
    connection.notify(preferencesNotification, this.#preferences);
    tellState();
  }

  #onLoss(connection: EngineConnection, { goodbye }: Loss): void {
    if (this.#end.signal.aborted || this.#connection !== connection) {
      connection.failWaiting(disposed());
      return;
    }
    this.#connection = undefined;
    const recovering = this.#recover(connection, goodbye);
    recovering.catch(() => undefined); // Nobody may be waiting; the state says it.
    this.#connecting = recovering;
  }

  async #recover(connection: EngineConnection, goodbye: Goodbye | undefined): Promise<EngineConnection> {
    const { instance, pid } = connection.file;
    const attempt = this.#attempt;
    const error = goodbye
      ? new AppError(goodbye.code, `the engine process ${pid} left: ${goodbye.message}`, { pid })
      : await exitReport(runtimeFiles(this.#options.env), instance, pid);
    connection.failWaiting(error);
    // The user's restart came first.
    if (this.#attempt !== attempt) return this.#connected();
    const hasLeftOnPurpose = goodbye?.code === "engine/exited";
    const fresh = await this.#begin(hasLeftOnPurpose ? 0 : this.#delayAfterLoss(error));
    if (this.#wantedModel) fresh.request(loadRequest, this.#wantedModel).catch(() => undefined); // The model's state says it.
    return fresh;
  }

  #delayAfterLoss(error: AppError): number {
    this.#options.logger.error(`${error.code}: ${error.message}\n${error.details.logTail ?? ""}`);
    const retryInMs = this.#countLoss();
    const shown = retryInMs === null ? limitReached(error) : error;
    this.#setState({ kind: "failed", error: shown, retryInMs });
    if (retryInMs === null) throw shown;
    return retryInMs;
  }

  #afterFailedStart(error: AppError): void {
    this.#options.logger.error(`${error.code}: ${error.message}`);
    const retryInMs = error.code === "engine/version" ? null : this.#countLoss();
    this.#setState({ kind: "failed", error, retryInMs });
    if (retryInMs === null) return;
    const attempt = this.#attempt;
    const retry = () => {
      if (this.#attempt === attempt && !this.#end.signal.aborted) this.#begin();
    };
    setTimeout(retry, retryInMs).unref();
  }

  #countLoss(): number | null {
    const now = performance.now();
    this.#lossesMs.push(now);
    return decideRestart(this.#lossesMs, now);
  }

  async #leave(connection: EngineConnection): Promise<void> {
    const left = new Promise<boolean>((resolve) => connection.onDidLose(() => resolve(true)));
    const reason = "restarted by the user";
    connection.request(shutdownRequest, { reason }).catch(() => undefined); // Its end is what counts.
    const hasLeft = await Promise.race([left, sleep(leaveWithinMs, false)]);
    if (hasLeft) return;
    connection.kill();
    await left;
  }

  #setState(state: EngineState): void {
    this.#state = state;
    this.#onDidChangeState.fire(state);
  }
}

function disposed(): AppError {
  return new AppError("request/cancelled", "the engine client is disposed");
}

function limitReached(error: AppError): AppError {
  const { restarts, minutes } = restartLimit;
  const message = `the engine was restarted ${restarts} times in ${minutes} minutes and is not started again; last: ${error.message}`;
  return new AppError("engine/restart-limit", message, error.details, error);
}
