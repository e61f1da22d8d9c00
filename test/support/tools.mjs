// Running commands, and doing a thing once when several processes want it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

/** Where tests keep what is slow to get; a clean install of the repository does not wipe it. */
export function cacheDirectory(env = process.env) {
  if (env.HOTPATH_CACHE) return path.resolve(env.HOTPATH_CACHE);
  return path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "hotpath");
}

/** The first of these names that is on PATH, as an absolute path. */
export function findOnPath(names, env = process.env) {
  const folders = (env.PATH ?? "").split(path.delimiter).filter(Boolean);
  const suffixes = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  for (const name of names) {
    for (const folder of folders) {
      for (const suffix of suffixes) {
        const file = path.join(folder, name + suffix);
        if (existsSync(file)) return file;
      }
    }
  }
  return undefined;
}

/** Runs a command to its end and returns what it printed; a failure carries the last lines. */
export function run(command, args, { cwd, env, timeoutMs = 900_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    let output = "";
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(output);
      const tail = output.trimEnd().split("\n").slice(-25).join("\n");
      reject(new Error(`${path.basename(command)} ${args.join(" ")}: ended with ${code ?? signal}\n${tail}`));
    });
  });
}

/**
 * Does the work while no other process of this machine does work under the same name; Linux only.
 * An abstract socket is the lock: the kernel releases it however its holder ends, so it is never stale.
 */
export async function withLock(name, onWait, work) {
  const id = createHash("sha256").update(name).digest("hex").slice(0, 32);
  const address = `\0hotpath-test-${process.getuid()}-${id}`;
  let lock = await listen(address);
  if (!lock) onWait();
  while (!lock) {
    await untilClosed(address);
    lock = await listen(address);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

/** A server at the address, or undefined when another process has it. */
function listen(address) {
  const waiting = new Set();
  const server = net.createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => {}); // A waiter that was ended needs no answer.
    socket.on("close", () => waiting.delete(socket));
  });
  const close = () => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve({ close }));
  });
}

/** Resolves when the lock's holder lets go or has gone already. */
function untilClosed(address) {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    socket.on("error", () => {}); // Refused: the holder has just ended. "close" follows.
    socket.on("close", resolve);
  });
}
