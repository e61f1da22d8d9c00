// Finds the user's engine process or starts one; of several clients that start at once, all end up with the same.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfCancelled } from "../common/cancellation.ts";
import { AppError, toAppError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import { compareVersions } from "../common/productVersion.ts";
import { helloRequest, protocolVersion, shutdownRequest } from "../protocol/engine.ts";
import { type EngineFile, exitCodes, parseEngineFile, type RuntimeFiles } from "../protocol/runtimeFiles.ts";
import { EngineConnection } from "./engineConnection.ts";
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
  const giveUpAt = performance.now() + startWithinMs;
  let started: StartedEngine | undefined;
  let hasReplaced = false;
  while (performance.now() < giveUpAt) {
    throwIfCancelled(options.signal);
    const file = await readEngineFile(options.files);
    const answer = file && (await tryConnect(file, options));
    if (answer instanceof EngineConnection) return answer;
    if (answer === "replaced") {
      // An engine script of another version than this client would be replaced for ever.
      if (hasReplaced)
        throw new AppError("engine/version", `${options.engineScript} is not of version ${options.productVersion}`);
      hasReplaced = true;
      started = undefined;
    }
    started ??= start(options);
    if (started.exitCode === exitCodes.locked) {
      started = undefined; // Somebody else's engine is coming up, or an old one is leaving.
      await sleep(100);
    } else if (started.exitCode !== undefined) {
      throw startFailed(options.files, started.exitCode);
    }
    await sleep(pollMs);
  }
  throw new AppError(
    "engine/start-failed",
    `no engine answered within ${startWithinMs} ms\n${readLogTail(options.files.log)}`,
    {
      startWithinMs,
    },
  );
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
): Promise<EngineConnection | "replaced" | undefined> {
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
      if (error.code === "engine/unresponsive") killWedged(connection, options.logger);
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
  if (!hasLeft) killWedged(connection, logger);
}

/** It accepted a connection a moment ago, so the pid is not somebody else's by now. */
function killWedged(connection: EngineConnection, logger: Logger): void {
  logger.warn(`engine process ${connection.file.pid} does not answer and is killed`);
  connection.kill();
}
