// What is free on this machine for models of chosen sizes.
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { isCancelled } from "../../../common/errors.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { Room } from "./expandSizes.ts";

/** `folder` is where synthetic weights are written; it need not be there yet. `videoBytes` are free for layers, too. */
export async function roomHere(folder: string, videoBytes: number): Promise<Room> {
  const { bavail, bsize } = await statfs(nearestFolder(folder));
  return { memoryBytes: freeMemory() + videoBytes, diskBytes: bavail * bsize };
}

/** Of all GPUs; 0 without an engine that answers, which those who need it will tell. */
export async function freeVideoMemory(engine: Pick<Engine, "diagnostics">, signal?: AbortSignal): Promise<number> {
  const diagnostics = await engine.diagnostics(signal).catch((error: unknown) => {
    if (isCancelled(error)) throw error;
    return null;
  });
  const gpus = diagnostics?.devices.filter(({ kind }) => kind === "gpu") ?? [];
  return gpus.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
}

/** macOS counts the cache of files as used, which leaves next to nothing free: there all memory is taken for free. */
function freeMemory(): number {
  return os.platform() === "darwin" ? os.totalmem() : os.freemem();
}

function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder));
}
