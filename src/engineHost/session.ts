// One client's connection: answers its requests, nothing before a good hello.
import { timingSafeEqual } from "node:crypto";
import type { MessageConnection } from "vscode-jsonrpc";
import { AppError, isCancelled } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import { compareVersions } from "../common/productVersion.ts";
import {
  type Diagnostics,
  describeSyntheticRequest,
  diagnosticsRequest,
  type GenerateAnswer,
  type GenerateRequestParams,
  type Goodbye,
  generateRequest,
  goodbyeNotification,
  type HelloParams,
  type HelloResult,
  helloRequest,
  holdRequest,
  inspectRequest,
  loadRequest,
  type ModelState,
  measureRequest,
  mergeProfilesRequest,
  modelStateNotification,
  type Preferences,
  type PrepareProgress,
  type PrepareRequestParams,
  type ProfileRequestParams,
  pingRequest,
  planRequest,
  preferencesNotification,
  prepareProgress,
  prepareRequest,
  priorities,
  profileProgress,
  profileRequest,
  protocolVersion,
  readProfileRequest,
  releaseRequest,
  type SynthesizeRequestParams,
  shutdownRequest,
  synthesizeProgress,
  synthesizeRequest,
  textProgress,
} from "../protocol/engine.ts";
import { toResponseError } from "../protocol/errorData.ts";
import {
  type LoadedModel,
  type ModelMetadata,
  type ModelSpec,
  type PrepareResult,
  type SynthesizeResult,
  specKey,
} from "../protocol/model.ts";
import type { ProfileProgress, ProfileSummary } from "../protocol/planning.ts";
import type { Addon, NativeModel } from "./addon.ts";
import { checkSpec, type Hold, type ModelPool } from "./modelPool.ts";
import type { Overlaps } from "./overlaps.ts";
import type { Planning } from "./planning.ts";
import { taskResult } from "./taskResult.ts";
import { TextStream } from "./textStream.ts";

export interface SessionHost {
  readonly pool: ModelPool;
  readonly overlaps: Overlaps;
  readonly planning: Planning;
  readonly logger: Logger;
  readonly secret: string;
  readonly productVersion: string;
  hasClients(): boolean;
  inspect(path: string): Promise<ModelMetadata>;
  readonly synthesize: Addon["synthesize"];
  readonly describeSynthetic: Addon["describeSynthetic"];
  readonly prepare: Addon["prepare"];
  diagnostics(): Diagnostics;
  /** A cancelled generation that does not end is a wedged engine; the host ends itself then. */
  watchCancelled(result: Promise<unknown>): void;
  shutdown(reason: string): void;
}

interface Token {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): unknown;
}

export class Session {
  preferences: Preferences = { idleUnloadMinutes: 0 };
  /** Empty until a good hello. */
  client = "";
  /** The client knows the secret but may be of another version: it may only ask the engine to leave. */
  #isTrusted = false;
  readonly #connection: MessageConnection;
  readonly #host: SessionHost;
  readonly #running = new Map<string, AbortController>();
  /** Of work that no newer request ends. */
  readonly #work = new Set<AbortController>();
  /** By `specKey`. */
  readonly #held = new Map<string, Hold>();
  #hasEnded = false;
  readonly #onChange: () => void;

  /** `onChange` is called after hello and when the preferences change. */
  constructor(connection: MessageConnection, host: SessionHost, onChange: () => void) {
    this.#connection = connection;
    this.#host = host;
    this.#onChange = onChange;
    connection.onRequest(helloRequest, (params) => this.#answer(() => this.#hello(params)));
    connection.onRequest(pingRequest, () => this.#greeted(() => null));
    connection.onNotification(preferencesNotification, (preferences) => {
      if (!this.client || !(preferences.idleUnloadMinutes >= 0)) return;
      this.preferences = preferences;
      onChange();
    });
    connection.onRequest(loadRequest, (spec, token) => this.#greeted(() => this.#load(spec, token)));
    connection.onRequest(holdRequest, (spec, token) => this.#greeted(() => this.#hold(spec, token)));
    connection.onRequest(releaseRequest, (spec) => this.#greeted(() => this.#release(spec)));
    connection.onRequest(inspectRequest, ({ path }) => this.#greeted(() => host.inspect(path)));
    connection.onRequest(generateRequest, (params, token) => this.#greeted(() => this.#generate(params, token)));
    connection.onRequest(synthesizeRequest, (params, token) => this.#greeted(() => this.#synthesize(params, token)));
    connection.onRequest(describeSyntheticRequest, (params) => this.#greeted(() => host.describeSynthetic(params)));
    connection.onRequest(prepareRequest, (params, token) => this.#greeted(() => this.#prepare(params, token)));
    connection.onRequest(diagnosticsRequest, () => this.#greeted(() => host.diagnostics()));
    connection.onRequest(measureRequest, ({ fresh }) => this.#greeted(() => host.planning.measure(fresh)));
    connection.onRequest(planRequest, (params) => this.#greeted(() => host.planning.plan(params)));
    connection.onRequest(profileRequest, (params, token) => this.#greeted(() => this.#profile(params, token)));
    connection.onRequest(readProfileRequest, ({ path }) => this.#greeted(() => host.planning.readProfile(path)));
    connection.onRequest(mergeProfilesRequest, (work) => this.#greeted(() => host.planning.mergeProfiles(work)));
    connection.onRequest(shutdownRequest, ({ reason }) =>
      this.#answer(() => {
        if (!this.#isTrusted) throw new AppError("engine/refused", "hello comes first");
        host.shutdown(reason);
        return null;
      }),
    );
    connection.listen();
  }

  sendModelState(state: ModelState): void {
    if (this.client) this.#tell(() => this.#connection.sendNotification(modelStateNotification, state));
  }

  sendGoodbye(goodbye: Goodbye): void {
    if (this.client) this.#tell(() => this.#connection.sendNotification(goodbyeNotification, goodbye));
  }

  /** Cancels what the client left running and lets go of what it held. */
  end(): void {
    this.#hasEnded = true;
    for (const hold of this.#held.values()) void hold.release();
    this.#held.clear();
    for (const running of this.#running.values()) running.abort();
    for (const work of this.#work) work.abort();
    this.#connection.dispose();
  }

  #hello(params: HelloParams): HelloResult {
    const { secret, productVersion } = this.#host;
    if (!isSameSecret(params.secret, secret)) throw new AppError("engine/refused", "the secret does not match");
    this.#isTrusted = true;
    if (params.protocolVersion !== protocolVersion || !this.#mayServe(params.productVersion)) {
      throw new AppError(
        "engine/version",
        `engine ${productVersion} speaks protocol ${protocolVersion}, client ${params.productVersion} protocol ${params.protocolVersion}`,
        { engineVersion: productVersion, clientVersion: params.productVersion },
      );
    }
    this.client = String(params.client);
    this.#host.logger.info(`hello from ${this.client}`);
    this.#onChange();
    for (const state of this.#host.pool.states) this.sendModelState(state);
    return { productVersion, pid: process.pid };
  }

  /** Another build of the same version, as developers have, is served beside others but alone starts its own engine. */
  #mayServe(version: string): boolean {
    const { productVersion, hasClients } = this.#host;
    return version === productVersion || (compareVersions(version, productVersion) === 0 && hasClients());
  }

  async #generate(params: GenerateRequestParams, token: Token): Promise<GenerateAnswer> {
    checkSpec(params.model);
    if (!priorities.includes(params.priority))
      throw new AppError("request/invalid", `priority is ${String(params.priority)}`);
    const askedAt = performance.now();
    const abort = abortOn(token);
    this.#running.get(params.documentId)?.abort();
    this.#running.set(params.documentId, abort);
    try {
      const work = async (model: NativeModel) => {
        const queuedMs = performance.now() - askedAt;
        const stream = new TextStream((text) =>
          this.#tell(() => this.#connection.sendProgress(textProgress, params.requestId, text)),
        );
        const running = this.#host.overlaps.begin();
        const generation = model.generate(params, (text) => stream.push(text));
        const cancel = () => {
          generation.cancel();
          this.#host.watchCancelled(generation.result);
        };
        abort.signal.addEventListener("abort", cancel, { once: true });
        try {
          const result = await generation.result;
          return { ...result, model: model.info, overlaps: running.end(), queuedMs };
        } finally {
          running.end();
          stream.dispose();
          abort.signal.removeEventListener("abort", cancel);
        }
      };
      const isHolder = this.#held.has(specKey(params.model));
      return await this.#host.pool.useInTurn(params.model, params.priority, abort.signal, work, isHolder);
    } finally {
      if (this.#running.get(params.documentId) === abort) this.#running.delete(params.documentId);
    }
  }

  #load(spec: ModelSpec, token: Token): Promise<LoadedModel> {
    checkSpec(spec);
    const isHolder = this.#held.has(specKey(spec));
    return this.#whileWanted(token, (signal) =>
      this.#host.pool.use(spec, signal, async (model) => model.info, isHolder),
    );
  }

  async #hold(spec: ModelSpec, token: Token): Promise<LoadedModel> {
    checkSpec(spec);
    const hold = await this.#whileWanted(token, (signal) => this.#host.pool.hold(spec, signal));
    if (this.#hasEnded || this.#held.has(specKey(spec))) await hold.release();
    else this.#held.set(specKey(spec), hold);
    return hold.model;
  }

  async #release(spec: ModelSpec): Promise<null> {
    checkSpec(spec);
    const hold = this.#held.get(specKey(spec));
    this.#held.delete(specKey(spec));
    await hold?.release();
    return null;
  }

  #profile({ requestId, ...params }: ProfileRequestParams, token: Token): Promise<ProfileSummary> {
    const onProgress = (progress: ProfileProgress) =>
      this.#tell(() => this.#connection.sendProgress(profileProgress, requestId, progress));
    return this.#whileWanted(token, (signal) => this.#host.planning.profile(params, onProgress, signal));
  }

  /** The signal aborts when the client takes its request back or leaves. */
  async #whileWanted<T>(token: Token, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = abortOn(token);
    this.#work.add(abort);
    try {
      return await work(abort.signal);
    } finally {
      this.#work.delete(abort);
    }
  }

  #synthesize(params: SynthesizeRequestParams, token: Token): Promise<SynthesizeResult> {
    const onProgress = (bytes: number, totalBytes: number) =>
      this.#tell(() => this.#connection.sendProgress(synthesizeProgress, params.requestId, { bytes, totalBytes }));
    return this.#whileWanted(token, (signal) => taskResult(this.#host.synthesize(params, onProgress), signal));
  }

  #prepare(params: PrepareRequestParams, token: Token): Promise<PrepareResult> {
    const onProgress = (step: PrepareProgress["step"], done: number, total: number) =>
      this.#tell(() => this.#connection.sendProgress(prepareProgress, params.requestId, { step, done, total }));
    return this.#whileWanted(token, (signal) => taskResult(this.#host.prepare(params, onProgress), signal));
  }

  /** A client that is gone is told nothing: a message to it throws or rejects, and the close of its socket follows. */
  #tell(send: () => Promise<void>): void {
    if (!this.#hasEnded) send().catch(() => undefined);
  }

  async #greeted<T>(answer: () => T | Promise<T>) {
    return this.#answer(() => {
      if (!this.client) throw new AppError("engine/refused", "hello comes first");
      return answer();
    });
  }

  async #answer<T>(answer: () => T | Promise<T>) {
    try {
      return await answer();
    } catch (error) {
      if (!isCancelled(error)) this.#host.logger.debug(`request failed: ${(error as Error).message}`);
      return toResponseError(error);
    }
  }
}

function abortOn(token: Token): AbortController {
  const abort = new AbortController();
  if (token.isCancellationRequested) abort.abort();
  token.onCancellationRequested(() => abort.abort());
  return abort;
}

function isSameSecret(given: unknown, expected: string): boolean {
  const a = Buffer.from(String(given));
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
