// Finds the user's engine process or starts one; of several clients that start at once, all end up with the same.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfCancelled } from "../common/cancellation.ts";
import { AppError, toAppError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import { ensurePrivateFolder } from "../common/privateFolder.ts";
import { compareVersions } from "../common/productVersion.ts";
import { helloRequest, protocolVersion, shutdownRequest } from "../protocol/engine.ts";
import { type EngineFile, exitCodes, parseEngineFile, type RuntimeFiles } from "../protocol/runtimeFiles.ts";
import { EngineConnection, killAfterMs } from "./engineConnection.ts";
import { readLogTail } from "./exitReport.ts";
import { type SpawnedEngine, spawnEngine } from "./spawnEngine.ts";

/** A cold start reads some 100 MB of libraries from a disk that may be slow. */
const startWithinMs = 20_000;
const helloWithinMs = 3_000;
const leaveWithinMs = 5_000;
const pollMs = 15;

export interface EngineProcessOptions {
  readonly engineScript: string;
  readonly files: RuntimeFiles;
  readonly env: NodeJS.ProcessEnv;
  readonly client: string;
  readonly productVersion: string;
  readonly logger: Logger;
  /** Ends the search; an engine that was started meanwhile leaves by itself. */
  readonly signal: AbortSignal;
}

/** A connection that has said hello. */
export async function connectOrStart(options: EngineProcessOptions): Promise<EngineConnection> {
  ensurePrivateFolder(options.files.directory);
  const giveUpAt = performance.now() + startWithinMs;
  const search = new Search(options);
  while (performance.now() < giveUpAt) {
    throwIfCancelled(options.signal);
    const connection = await search.step();
    if (connection) return connection;
  }
  const logTail = readLogTail(options.files.log);
  throw new AppError("engine/start-failed", `no engine answered within ${startWithinMs} ms\n${logTail}`, {
    startWithinMs,
  });
}

/** What was tried so far, so that each step can try something else. */
class Search {
  readonly #options: EngineProcessOptions;
  #started: StartedEngine | undefined;
  #hasReplaced = false;
  #lockedSince: number | undefined;
  #silentSince: number | undefined;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
  }

  async step(): Promise<EngineConnection | undefined> {
    const { files } = this.#options;
    const file = await readEngineFile(files);
    const answer = file && (await tryConnect(file, this.#options));
    if (answer instanceof EngineConnection) return answer;
    if (answer === "replaced") this.#noteReplaced();
    else if (answer === "silent") this.#noteSilent(file?.pid);
    else await this.#startOrWait();
    await sleep(pollMs);
    return undefined;
  }

  #noteReplaced(): void {
    const { engineScript, productVersion } = this.#options;
    // An engine script of another version than this client would be replaced for ever.
    if (this.#hasReplaced) throw new AppError("engine/version", `${engineScript} is not of version ${productVersion}`);
    this.#hasReplaced = true;
    this.#started = undefined;
  }

  /** Other windows may share that engine, so it gets as long as an engine in use. */
  #noteSilent(pid: number | undefined): void {
    this.#silentSince ??= performance.now();
    if (pid === undefined || performance.now() - this.#silentSince < killAfterMs) return;
    this.#silentSince = undefined;
    killWedged(pid, this.#options.logger);
  }

  async #startOrWait(): Promise<void> {
    this.#started ??= start(this.#options);
    const { exitCode } = this.#started;
    if (exitCode === undefined) return;
    // 0: it came up and was asked to leave before we met.
    if (exitCode !== exitCodes.locked && exitCode !== 0) throw startFailed(this.#options.files, exitCode);
    this.#started = undefined;
    if (exitCode === exitCodes.locked) await this.#waitForLockHolder();
  }

  /** An engine that is coming up or leaving; or one that hangs where it can no longer be asked. */
  async #waitForLockHolder(): Promise<void> {
    this.#lockedSince ??= performance.now();
    const waitedMs = performance.now() - this.#lockedSince;
    if (waitedMs > killAfterMs) {
      this.#lockedSince = undefined;
      const pid = Number(await readFile(this.#options.files.pid, "utf8").catch(() => "")); // Not written by an older one.
      if (pid > 0) killWedged(pid, this.#options.logger);
    }
    await sleep(Math.min(1_000, 100 + waitedMs / 4));
  }
}

interface StartedEngine {
  exitCode: number | undefined;
}

function start({ engineScript, files, env, logger }: EngineProcessOptions): StartedEngine {
  let spawned: SpawnedEngine;
  try {
    spawned = spawnEngine(engineScript, files, env);
  } catch (error) {
    throw new AppError("engine/start-failed", `${files.directory}: ${(error as Error).message}`, {}, error);
  }
  logger.info(`starting engine ${spawned.instance}`);
  const started: StartedEngine = { exitCode: undefined };
  spawned.ended.then(
    (code) => {
      started.exitCode = code;
    },
    (error) => {
      logger.error(`cannot start ${process.execPath}: ${error.message}`);
      started.exitCode = exitCodes.cannotStart;
    },
  );
  return started;
}

function startFailed(files: RuntimeFiles, exitCode: number): AppError {
  const logTail = readLogTail(files.log);
  const why = logTail || `It wrote nothing into ${files.log}: is that disk full?`;
  const message = `the engine process ended with exit code ${exitCode} while starting\n${why}`;
  return new AppError("engine/start-failed", message, { exitCode, logTail });
}

async function readEngineFile(files: RuntimeFiles): Promise<EngineFile | undefined> {
  const json = await readFile(files.engine, "utf8").catch(() => undefined); // No engine has announced itself.
  return json === undefined ? undefined : parseEngineFile(json);
}

/** undefined: there is no engine behind this file, or it is leaving; look again. */
async function tryConnect(
  file: EngineFile,
  options: EngineProcessOptions,
): Promise<EngineConnection | "replaced" | "silent" | undefined> {
  let connection: EngineConnection;
  try {
    connection = await EngineConnection.open(file, helloWithinMs);
  } catch {
    return undefined; // The file outlived its engine.
  }
  try {
    await sayHello(connection, file, options);
    return connection;
  } catch (thrown) {
    const error = toAppError(thrown);
    try {
      if (error.code === "engine/refused") throw error;
      if (error.code === "engine/unresponsive") return "silent";
      if (error.code !== "engine/version") return undefined;
      await replace(connection, file, options, error);
      return "replaced";
    } finally {
      connection.close();
    }
  }
}

async function sayHello(connection: EngineConnection, file: EngineFile, options: EngineProcessOptions): Promise<void> {
  const { client, productVersion } = options;
  const answered = connection.request(helloRequest, { protocolVersion, productVersion, secret: file.secret, client });
  const lost = connection.onDidLose(() =>
    connection.failWaiting(new AppError("engine/exited", `engine ${file.pid} left`)),
  );
  try {
    await answered;
  } finally {
    lost.dispose();
  }
}

/** The newer version stays: otherwise two open windows of different versions would replace each other for ever. */
async function replace(
  connection: EngineConnection,
  file: EngineFile,
  { productVersion, logger }: EngineProcessOptions,
  error: AppError,
): Promise<void> {
  if (compareVersions(productVersion, file.productVersion) < 0) {
    throw new AppError("engine/version", `${error.message}; reload the window to use the new version`, error.details);
  }
  logger.info(`asking engine ${file.productVersion} (process ${file.pid}) to leave for ${productVersion}`);
  const left = new Promise<void>((resolve) => connection.onDidLose(() => resolve()));
  const reason = `version ${productVersion} replaces ${file.productVersion}`;
  connection.request(shutdownRequest, { reason }).catch(() => undefined); // Its end is what counts.
  const hasLeft = await Promise.race([left.then(() => true), sleep(leaveWithinMs, false)]);
  if (!hasLeft) killWedged(file.pid, logger);
}

/** It holds the lock or accepted a connection a moment ago, so the pid is not somebody else's by now. */
function killWedged(pid: number, logger: Logger): void {
  logger.warn(`engine process ${pid} does not answer and is killed`);
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
