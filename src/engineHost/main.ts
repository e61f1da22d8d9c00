// The engine process: one per user. Takes the lock, loads the addon, listens, and ends when nobody is left.
import { randomBytes } from "node:crypto";
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dataFolder } from "../common/dataFolder.ts";
import { toAppError } from "../common/errors.ts";
import { cudaKernelLibrary, libraryDirectories } from "../common/libraryDirectories.ts";
import { ensurePrivateFolder } from "../common/privateFolder.ts";
import { productVersion } from "../common/productVersion.ts";
import { profileFile } from "../common/profileFile.ts";
import { sidecarFiles } from "../common/sidecarFiles.ts";
import { connectionOver } from "../protocol/connection.ts";
import { type Goodbye, protocolVersion } from "../protocol/engine.ts";
import {
  checkSocketPath,
  type EngineFile,
  exitCodes,
  type RuntimeFiles,
  runtimeFiles,
} from "../protocol/runtimeFiles.ts";
import type { Addon } from "./addon.ts";
import { Measurements } from "./measurements.ts";
import { ModelPool } from "./modelPool.ts";
import { Overlaps } from "./overlaps.ts";
import { Planning } from "./planning.ts";
import { privateBytes } from "./privateMemory.ts";
import { Session } from "./session.ts";
import { createStderrLogger } from "./stderrLogger.ts";

/** A window reload or the next CLI call finds the model still loaded. */
const lingerMs = Number(process.env.HOTPATH_LINGER_MS ?? 15_000);
/** Longer than any single graph node takes; a generation that ignores its cancel this long never ends. */
const wedgedAfterMs = Number(process.env.HOTPATH_WEDGED_MS ?? 10_000);
/** For the models to be freed when the engine leaves. */
const leaveWithinMs = 3_000;
/** A client that was suspended may still want to know how its engine ended. */
const exitRecordKeptMs = 60 * 60_000;
/** Who has not said hello by then is no client of ours. */
const greetingMs = 5_000;

const logger = createStderrLogger(process.env.HOTPATH_LOG_LEVEL);
const files = runtimeFiles();
const instance = process.env.HOTPATH_INSTANCE ?? `e${randomBytes(4).toString("hex")}`;

process.on("uncaughtException", (error) => {
  logger.error(`uncaught: ${error.stack ?? error.message}`);
  process.exit(exitCodes.bug);
});

try {
  main();
} catch (error) {
  const { code, message } = toAppError(error);
  logger.error(`${code}: ${message}`);
  process.exit(exitCodes.cannotStart);
}

function main(): void {
  ensurePrivateFolder(files.directory);
  const addon = loadAddon();
  if (!addon.lockFile(files.lock)) {
    logger.info("another engine holds the lock");
    process.exit(exitCodes.locked);
  }
  writeFileSync(files.pid, String(process.pid), { mode: 0o600 });
  removeLeftovers(files);
  const libraries = addon.start({
    libraryDirectories: libraryDirectories(__dirname),
    onLog: ({ level, text }) => logger[level](text),
  });
  logger.info(
    `engine ${productVersion}, pid ${process.pid}, llama.cpp ${libraries.llamaVersion}, CPU ${libraries.cpuVariant}`,
  );
  serve(addon, libraries);
}

function loadAddon(): Addon {
  const file = path.join(__dirname, "native", "hotpath.node");
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports as Addon;
}

/** We hold the lock, so whatever lies here belongs to engines that are gone. */
function removeLeftovers({ directory, engine }: RuntimeFiles): void {
  rmSync(engine, { force: true });
  for (const name of readdirSync(directory)) {
    const file = path.join(directory, name);
    const isOldRecord = name.endsWith(".exit") && Date.now() - statSync(file).mtimeMs > exitRecordKeptMs;
    const isHalfWritten = file.startsWith(`${engine}.`);
    if (name.endsWith(".sock") || isHalfWritten || isOldRecord) rmSync(file, { force: true });
  }
}

function serve(addon: Addon, libraries: ReturnType<Addon["start"]>): void {
  const startedAt = Date.now();
  const secret = randomBytes(32).toString("hex");
  const sessions = new Set<Session>();
  const greeted = () => [...sessions].filter((session) => session.client !== "");
  const sayGoodbye = (goodbye: Goodbye) => {
    for (const session of sessions) session.sendGoodbye(goodbye);
  };
  let lingerTimer: NodeJS.Timeout | undefined;
  let isLeaving = false;

  const measurements = new Measurements({
    addon,
    logger,
    llamaVersion: libraries.llamaVersion,
    file: path.join(dataFolder(), "measurement.json"),
    now: () => new Date(),
  });

  const cudaLibrary = cudaKernelLibrary(__dirname);
  const pool = new ModelPool({
    addon: {
      load(spec, onProgress) {
        const rates = measurements.known()?.measurement.rates ?? null;
        const files = { sidecars: sidecarFiles(spec.path), profile: profileFile(spec.path) };
        return addon.load({ ...spec, ...files, cudaLibrary, rates }, onProgress);
      },
    },
    logger,
    now: () => performance.now(),
    identify: identityOf,
    onState: (state) => {
      for (const session of sessions) session.sendModelState(state);
    },
  });

  const leave = async (message: string) => {
    if (isLeaving) return;
    isLeaving = true;
    logger.info(`leaving: ${message}`);
    sayGoodbye({ code: "engine/exited", message });
    server.close();
    rmSync(files.engine, { force: true });
    const hasEnded = await Promise.race([pool.dispose().then(() => true), sleep(leaveWithinMs, false)]);
    // A wedged thread would be waited for at the exit, with the lock held.
    if (!hasEnded) process.kill(process.pid, "SIGKILL");
    process.exit(0);
  };

  const onSessionsChange = () => {
    clearTimeout(lingerTimer);
    if (sessions.size === 0) lingerTimer = setTimeout(() => void leave("no client is left"), lingerMs);
    pool.setIdleUnload(longestIdleUnload(greeted()) * 60_000);
  };

  const host = {
    pool,
    overlaps: new Overlaps(),
    planning: new Planning(addon, measurements),
    logger,
    secret,
    productVersion,
    hasClients: () => greeted().length > 0,
    inspect: (file: string) => addon.inspect(file),
    synthesize: addon.synthesize,
    describeSynthetic: addon.describeSynthetic,
    prepare: addon.prepare,
    diagnostics: () => ({
      productVersion,
      pid: process.pid,
      uptimeMs: Date.now() - startedAt,
      residentBytes: process.memoryUsage.rss(),
      privateBytes: privateBytes(),
      clientCount: greeted().length,
      libraries,
      devices: addon.devices(),
      cudaKernels: cudaLibrary === "" ? null : addon.cudaKernels(cudaLibrary),
      models: pool.states,
    }),
    watchCancelled: (result: Promise<unknown>) => {
      const timer = setTimeout(() => {
        const message = `a cancelled generation did not end within ${wedgedAfterMs} ms`;
        logger.error(message);
        sayGoodbye({ code: "engine/unresponsive", message });
        // A clean exit would wait for the wedged thread. The notification is written before the next turn.
        setTimeout(() => process.kill(process.pid, "SIGKILL"), 100);
      }, wedgedAfterMs);
      result.catch(() => undefined).finally(() => clearTimeout(timer)); // The requester gets the error.
    },
    shutdown: (reason: string) => void leave(reason),
  };

  const accept = (socket: Socket) => {
    socket.setNoDelay();
    socket.on("error", (error) => logger.debug(`socket: ${error.message}`));
    const connection = connectionOver(socket);
    const session = new Session(connection, host, onSessionsChange);
    sessions.add(session);
    onSessionsChange();
    const greetingTimer = setTimeout(() => session.client || socket.destroy(), greetingMs);
    socket.on("close", () => {
      clearTimeout(greetingTimer);
      session.end();
      sessions.delete(session);
      onSessionsChange();
    });
  };

  const server = createServer(accept);
  const socket = files.socket(instance);
  checkSocketPath(socket);
  server.on("error", (error) => {
    logger.error(`cannot listen on ${socket}: ${error.message}`);
    process.exit(exitCodes.cannotStart);
  });
  server.listen(socket, () => {
    try {
      announce({ pid: process.pid, instance, productVersion, protocolVersion, socket, secret });
    } catch (error) {
      logger.error(`cannot write ${files.engine}: ${(error as Error).message}`);
      process.exit(exitCodes.cannotStart);
    }
    onSessionsChange();
  });
  process.on("SIGTERM", () => void leave("terminated by SIGTERM"));
  process.on("SIGINT", () => void leave("interrupted"));
}

/** Written whole or not at all: clients read it while it appears. */
function announce(file: EngineFile): void {
  const temporary = `${files.engine}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(file), { mode: 0o600 });
  renameSync(temporary, files.engine);
}

function identityOf(path: string): string | null {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return null; // Who loads it is told why.
  }
}

function longestIdleUnload(sessions: readonly Session[]): number {
  const minutes = sessions.map((session) => session.preferences.idleUnloadMinutes);
  return minutes.includes(0) || minutes.length === 0 ? 0 : Math.max(...minutes);
}
