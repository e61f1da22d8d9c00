// The files through which the engine process and its clients find each other. All lie in one folder that only its user
// can enter; a socket path must stay under 104 bytes (macOS), so the folder is near the root.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { AppError } from "../common/errors.ts";

export interface RuntimeFiles {
  readonly directory: string;
  /** Held with an operating-system lock for the life of an engine, so no stale lock can exist. */
  readonly lock: string;
  /** EngineFile as JSON, readable by its user only. */
  readonly engine: string;
  /** Process id of who holds the lock, written before anything that can hang. */
  readonly pid: string;
  readonly log: string;
  socket(instance: string): string;
  /** Gets the exit status of the engine process with this instance name. */
  exit(instance: string): string;
}

/** What a running engine says about itself to those who may read its folder. */
export interface EngineFile {
  readonly pid: number;
  /** Unique per process; a new engine never reuses the socket of an old one. */
  readonly instance: string;
  readonly productVersion: string;
  readonly protocolVersion: number;
  readonly socket: string;
  readonly secret: string;
}

/** Exit codes of the engine process that its starter understands. */
export const exitCodes = { locked: 75, cannotStart: 69, bug: 70 } as const;

/** `HOTPATH_RUNTIME_DIR` moves the folder, for tests and for people whose temp folder is odd. */
export function runtimeFiles(env: NodeJS.ProcessEnv = process.env): RuntimeFiles {
  const directory = env.HOTPATH_RUNTIME_DIR ?? defaultDirectory(env);
  return {
    directory,
    lock: path.join(directory, "engine.lock"),
    engine: path.join(directory, "engine.json"),
    pid: path.join(directory, "engine.pid"),
    log: path.join(directory, "engine.log"),
    socket: (instance) =>
      process.platform === "win32"
        ? `\\\\.\\pipe\\hotpath-${createHash("sha256").update(directory).digest("hex").slice(0, 16)}-${instance}`
        : path.join(directory, `${instance}.sock`),
    exit: (instance) => path.join(directory, `${instance}.exit`),
  };
}

function defaultDirectory(env: NodeJS.ProcessEnv): string {
  if (process.platform === "win32") return path.join(env.LOCALAPPDATA ?? os.tmpdir(), "hotpath", "run");
  const { uid } = os.userInfo();
  // Not every shell of a user has the variable; all of them must find the same engine.
  const session = env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  if (existsSync(session)) return path.join(session, "hotpath");
  return path.join(os.tmpdir(), `hotpath-${uid}`);
}

/** Any bytes give an EngineFile or undefined. */
export function parseEngineFile(json: string): EngineFile | undefined {
  let value: Partial<EngineFile> | null;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined; // Half written by an engine that died; a new one will write it anew.
  }
  const texts = [value?.instance, value?.productVersion, value?.socket, value?.secret];
  const numbers = [value?.pid, value?.protocolVersion];
  const isWhole = texts.every((t) => typeof t === "string") && numbers.every((n) => Number.isSafeInteger(n));
  return isWhole ? (value as EngineFile) : undefined;
}

/** Sockets have a length limit the operating system reports only as EINVAL. */
export function checkSocketPath(socket: string): void {
  const limit = process.platform === "win32" ? 256 : process.platform === "darwin" ? 103 : 107;
  const length = Buffer.byteLength(socket);
  if (length <= limit) return;
  throw new AppError(
    "engine/start-failed",
    `the socket path ${socket} has ${length} bytes, the system allows ${limit}`,
    {
      length,
      limit,
    },
  );
}
