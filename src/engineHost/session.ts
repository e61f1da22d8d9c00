// One client's connection: answers its requests, nothing before a good hello.
import { timingSafeEqual } from "node:crypto";
import type { MessageConnection } from "vscode-jsonrpc";
import { AppError, isCancelled } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import {
  type Diagnostics,
  diagnosticsRequest,
  type GenerateAnswer,
  type GenerateRequestParams,
  type Goodbye,
  generateRequest,
  goodbyeNotification,
  type HelloParams,
  type HelloResult,
  helloRequest,
  inspectRequest,
  loadRequest,
  type ModelState,
  modelStateNotification,
  type Preferences,
  pingRequest,
  preferencesNotification,
  protocolVersion,
  shutdownRequest,
  textProgress,
} from "../protocol/engine.ts";
import { toResponseError } from "../protocol/errorData.ts";
import type { ModelMetadata } from "../protocol/model.ts";
import type { Task } from "./addon.ts";
import { checkSpec, type ModelPool } from "./modelPool.ts";
import { TextStream } from "./textStream.ts";

export interface SessionHost {
  readonly pool: ModelPool;
  readonly logger: Logger;
  readonly secret: string;
  readonly productVersion: string;
  inspect(path: string): Promise<ModelMetadata>;
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
  readonly #running = new Map<string, () => void>();
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
    connection.onRequest(loadRequest, (spec) =>
      this.#greeted(() => {
        checkSpec(spec);
        return host.pool.use(spec, async (model) => model.info);
      }),
    );
    connection.onRequest(inspectRequest, ({ path }) => this.#greeted(() => host.inspect(path)));
    connection.onRequest(generateRequest, (params, token) => this.#greeted(() => this.#generate(params, token)));
    connection.onRequest(diagnosticsRequest, () => this.#greeted(() => host.diagnostics()));
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
    if (this.client) ignoreLoss(this.#connection.sendNotification(modelStateNotification, state));
  }

  sendGoodbye(goodbye: Goodbye): void {
    if (this.client) ignoreLoss(this.#connection.sendNotification(goodbyeNotification, goodbye));
  }

  /** Cancels what the client left running. */
  end(): void {
    for (const cancel of this.#running.values()) cancel();
    this.#connection.dispose();
  }

  #hello(params: HelloParams): HelloResult {
    const { secret, productVersion } = this.#host;
    if (!isSameSecret(params.secret, secret)) throw new AppError("engine/refused", "the secret does not match");
    this.#isTrusted = true;
    if (params.protocolVersion !== protocolVersion || params.productVersion !== productVersion) {
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

  async #generate(params: GenerateRequestParams, token: Token): Promise<GenerateAnswer> {
    checkSpec(params.model);
    let task: Task<unknown> | undefined;
    let isCancelRequested = token.isCancellationRequested;
    const cancel = () => {
      isCancelRequested = true;
      if (!task) return;
      task.cancel();
      this.#host.watchCancelled(task.result);
    };
    token.onCancellationRequested(cancel);
    this.#running.get(params.documentId)?.();
    this.#running.set(params.documentId, cancel);
    try {
      return await this.#host.pool.use(params.model, async (model) => {
        if (isCancelRequested) throw new AppError("request/cancelled", "cancelled before it began");
        const stream = new TextStream((text) =>
          ignoreLoss(this.#connection.sendProgress(textProgress, params.requestId, text)),
        );
        const generation = model.generate(params, (text) => stream.push(text));
        task = generation;
        const result = await generation.result.finally(() => stream.dispose());
        return { ...result, mode: "dense", model: model.info };
      });
    } finally {
      if (this.#running.get(params.documentId) === cancel) this.#running.delete(params.documentId);
    }
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

/** The client is gone; the close event of its socket follows and ends the session. */
function ignoreLoss(sent: Promise<void>): void {
  sent.catch(() => undefined);
}

function isSameSecret(given: unknown, expected: string): boolean {
  const a = Buffer.from(String(given));
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
