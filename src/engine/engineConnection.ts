// A live connection to the engine process: typed requests that always end, also when the process does not answer.
import { connect, type Socket } from "node:net";
import {
  CancellationTokenSource,
  type MessageConnection,
  type NotificationType,
  type ProgressType,
  type RequestParam,
  type RequestType,
  type RequestType0,
} from "vscode-jsonrpc";
import { cancelled } from "../common/cancellation.ts";
import { Emitter } from "../common/emitter.ts";
import { AppError } from "../common/errors.ts";
import { connectionOver } from "../protocol/connection.ts";
import {
  type ErrorData,
  type Goodbye,
  goodbyeNotification,
  type ModelState,
  modelStateNotification,
  pingRequest,
} from "../protocol/engine.ts";
import { fromResponseError } from "../protocol/errorData.ts";
import { specKey } from "../protocol/model.ts";
import type { EngineFile } from "../protocol/runtimeFiles.ts";

const pingEveryMs = 200;
/** Who awaits an answer is told within a second: after this much silence, seen at the next ping ... */
const silentAfterMs = 750;
/** ... but a process is only killed after this much: a laptop waking up is slow, and a model takes long to load again. */
export const killAfterMs = 10_000;

export interface Loss {
  readonly goodbye: Goodbye | undefined;
}

export class EngineConnection {
  readonly #onDidLose = new Emitter<Loss>();
  readonly onDidLose = this.#onDidLose.event;
  readonly #onDidChangeModels = new Emitter<void>();
  readonly onDidChangeModels = this.#onDidChangeModels.event;
  #models: ReadonlyMap<string, ModelState> = new Map();
  readonly rpc: MessageConnection;
  readonly file: EngineFile;
  readonly #socket: Socket;
  readonly #waiting = new Set<(error: AppError) => void>();
  #goodbye: Goodbye | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(socket: Socket, file: EngineFile) {
    this.#socket = socket;
    this.file = file;
    this.rpc = connectionOver(socket);
    this.rpc.onNotification(goodbyeNotification, (goodbye) => {
      this.#goodbye = goodbye;
    });
    // Registered before hello: the engine tells the states of its models with its answer.
    this.rpc.onNotification(modelStateNotification, (state) => {
      this.#models = new Map(this.#models).set(specKey(state.spec), state);
      this.#onDidChangeModels.fire();
    });
    this.rpc.onError(() => {}); // A broken pipe is followed by the close event, which says all.
    socket.on("error", () => {}); // Likewise.
    socket.on("close", () => this.#lose());
    this.rpc.listen();
  }

  static open(file: EngineFile, timeoutMs: number): Promise<EngineConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(file.socket);
      const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
      socket.once("error", (error) => {
        clearTimeout(timer);
        reject(new AppError("engine/exited", `${file.socket}: ${error.message}`, { pid: file.pid }, error));
      });
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.removeAllListeners("error");
        socket.setNoDelay();
        resolve(new EngineConnection(socket, file));
      });
    });
  }

  /** By `specKey`. */
  get models(): ReadonlyMap<string, ModelState> {
    return this.#models;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  request<P, R>(type: RequestType<P, R, ErrorData>, params: RequestParam<P>, signal?: AbortSignal): Promise<R> {
    return this.#send((token) => this.rpc.sendRequest(type, params, token), signal);
  }

  request0<R>(type: RequestType0<R, ErrorData>, signal?: AbortSignal): Promise<R> {
    return this.#send((token) => this.rpc.sendRequest(type, token), signal);
  }

  /** Like `request`, with progress values on the given token until it ends. */
  async requestWithProgress<P, R, V>(
    type: RequestType<P, R, ErrorData>,
    params: RequestParam<P>,
    progress: { type: ProgressType<V>; token: string; onValue: (value: V) => void },
    signal?: AbortSignal,
  ): Promise<R> {
    const listening = this.rpc.onProgress(progress.type, progress.token, (value) => {
      if (!signal?.aborted) progress.onValue(value);
    });
    try {
      return await this.request(type, params, signal);
    } finally {
      listening.dispose();
    }
  }

  notify<P>(type: NotificationType<P>, params: RequestParam<P>): void {
    this.rpc.sendNotification(type, params).catch(() => undefined); // A lost connection is told by `onDidLose`.
  }

  /** Rejects everything that waits. Called with the reason once the loss is understood. */
  failWaiting(error: AppError): void {
    for (const reject of [...this.#waiting]) reject(error);
  }

  close(): void {
    this.#socket.destroy();
    this.#lose();
  }

  #send<R>(send: (token: CancellationTokenSource["token"]) => Promise<R>, signal?: AbortSignal): Promise<R> {
    if (signal?.aborted) return Promise.reject(cancelled());
    if (this.#isClosed) return Promise.reject(this.#gone());
    const source = new CancellationTokenSource();
    return new Promise<R>((resolve, reject) => {
      const end = (settle: () => void) => {
        signal?.removeEventListener("abort", onAbort);
        this.#waiting.delete(fail);
        settle();
      };
      const fail = (error: AppError) => end(() => reject(error));
      const onAbort = () => {
        source.cancel();
        fail(cancelled());
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(fail);
      this.#startHeartbeat();
      send(source.token).then(
        (value) => end(() => resolve(value)),
        (error) => {
          // A lost connection is explained by `failWaiting` a moment later.
          if (!this.#isClosed)
            fail(fromResponseError(error, () => new AppError("internal/bug", String(error), {}, error)));
        },
      );
    });
  }

  #gone(): AppError {
    return new AppError("engine/exited", `the connection to the engine process ${this.file.pid} is closed`);
  }

  #startHeartbeat(): void {
    if (this.#heartbeat || this.#isClosed) return;
    let answeredAt = performance.now();
    let tickedAt = answeredAt;
    let isPinging = false;
    this.#heartbeat = setInterval(() => {
      const now = performance.now();
      const wasAsleep = now - tickedAt > 3 * pingEveryMs;
      tickedAt = now;
      // Our own event loop stood still (a suspended laptop, a busy host): the silence is ours, not the engine's.
      if (wasAsleep) answeredAt = now;
      const silentMs = now - answeredAt;
      if (silentMs > killAfterMs) return this.kill();
      if (silentMs > silentAfterMs) this.failWaiting(this.#unresponsive(silentMs));
      if (isPinging) return;
      if (this.#waiting.size === 0) return this.#stopHeartbeat();
      isPinging = true;
      this.rpc.sendRequest(pingRequest).then(
        () => {
          isPinging = false;
          answeredAt = performance.now();
        },
        () => {}, // The connection closes; the close event says all.
      );
    }, pingEveryMs);
    this.#heartbeat.unref();
  }

  #unresponsive(silentMs: number): AppError {
    const pid = this.file.pid;
    return new AppError(
      "engine/unresponsive",
      `the engine process ${pid} has not answered for ${Math.round(silentMs)} ms`,
      {
        pid,
        silentMs: Math.round(silentMs),
      },
    );
  }

  #stopHeartbeat(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  kill(): void {
    this.#stopHeartbeat();
    try {
      process.kill(this.file.pid, "SIGKILL");
    } catch {
      // It has ended in the meantime; the close event follows.
    }
  }

  #lose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopHeartbeat();
    this.rpc.dispose();
    this.#onDidLose.fire({ goodbye: this.#goodbye });
  }
}
