// Starts an engine process that outlives its starter.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeFileSync } from "node:fs";
import type { RuntimeFiles } from "../protocol/runtimeFiles.ts";

const maxLogBytes = 1 << 20;

/**
 * Only a parent learns how a process ended, and the window that started the engine may be gone by then. So a shell of
 * one line stays as its parent and writes the exit status down. Its command line does not name the engine: killing
 * engines by name spares it.
 */
const watcher = '"$HOTPATH_NODE" "$HOTPATH_SCRIPT"; status=$?; echo "$status" > "$HOTPATH_EXIT_FILE"; exit "$status"';

export interface SpawnedEngine {
  readonly instance: string;
  /** Exit code of the engine process; a signal counts as 128 and its number. */
  readonly ended: Promise<number>;
}

export function spawnEngine(script: string, files: RuntimeFiles, env: NodeJS.ProcessEnv): SpawnedEngine {
  mkdirSync(files.directory, { recursive: true, mode: 0o700 });
  const instance = `e${randomBytes(4).toString("hex")}`;
  const log = openLog(files.log);
  const exitFile = files.exit(instance);
  const options = {
    cwd: files.directory,
    detached: true,
    windowsHide: true,
    stdio: ["ignore", log, log] as ["ignore", number, number],
    env: engineEnvironment(env, {
      HOTPATH_RUNTIME_DIR: files.directory,
      HOTPATH_INSTANCE: instance,
      HOTPATH_NODE: process.execPath,
      HOTPATH_SCRIPT: script,
      HOTPATH_EXIT_FILE: exitFile,
    }),
  };
  const isWindows = process.platform === "win32";
  const child = isWindows ? spawn(process.execPath, [script], options) : spawn("/bin/sh", ["-c", watcher], options);
  child.unref();
  closeSync(log);
  const ended = exitOf(child);
  if (isWindows) void ended.then((code) => writeFileSync(exitFile, `${code}\n`));
  return { instance, ended };
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal ? 128 : 0)));
  });
}

function openLog(file: string): number {
  try {
    if (statSync(file).size > maxLogBytes) renameSync(file, `${file}.1`);
  } catch {
    // The first start has no log yet.
  }
  return openSync(file, "a", 0o600);
}

/** Without the editor's own variables: they would make a Node child connect to the editor or load its hooks. */
function engineEnvironment(env: NodeJS.ProcessEnv, extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.entries(env).filter(([name]) => !name.startsWith("VSCODE_") && name !== "NODE_OPTIONS");
  return { ...Object.fromEntries(inherited), ELECTRON_RUN_AS_NODE: "1", ...extra };
}
