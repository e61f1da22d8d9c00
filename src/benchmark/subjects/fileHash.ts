// The hash of a model file, read once: a file of 40 GB takes minutes.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { cancelled } from "../../common/cancellation.ts";
import { AppError } from "../../common/errors.ts";

const kept = 100;

/** What this process has read, which it knows also where the list of the folder cannot be written. */
const readHere = new Map<string, string>();

/** SHA-256 of a file, hex. Known ones are kept in the folder, by path, size and time of the last change. */
export async function fileSha256(
  file: string,
  folder: string,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<string> {
  try {
    const key = await keyOf(file);
    const own = readHere.get(key);
    if (own !== undefined) return own;
    const cache = path.join(folder, "hashes.json");
    const known = await readCache(cache);
    const found = known.find(([name]) => name === key);
    if (found) return found[1];
    const { size } = await stat(file);
    const hash = await hashFile(file, (bytes) => onProgress(bytes / size), signal);
    readHere.set(key, hash);
    // A list that cannot be written costs the next process what a missing one does.
    await writeCache(cache, [[key, hash], ...known].slice(0, kept) as Known).catch(() => {});
    return hash;
  } catch (error) {
    if (signal.aborted) throw cancelled();
    throw new AppError("file/unreadable", `${file}: ${(error as Error).message}`, { file }, error);
  }
}

/** A file that was read before, is still as it was then, and has this hash; null: none is known. */
export async function knownFile(hash: string, folder: string): Promise<string | null> {
  for (const [key, own] of await readCache(path.join(folder, "hashes.json"))) {
    if (own !== hash) continue;
    const [file] = JSON.parse(key) as [string];
    if ((await keyOf(file).catch(() => null)) === key) return file; // It may be gone.
  }
  return null;
}

/** Rejects for what is no regular file: a pipe or a device may have no end. */
async function keyOf(file: string): Promise<string> {
  const found = await stat(file);
  if (!found.isFile()) throw new Error("is no regular file");
  return JSON.stringify([file, found.size, found.mtimeMs]);
}

type Known = [key: string, hash: string][];

async function hashFile(file: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 4 << 20, signal })) {
    hash.update(chunk);
    bytes += chunk.length;
    onBytes(bytes);
  }
  return hash.digest("hex");
}

/** A missing or damaged file costs reading the models again. */
async function readCache(file: string): Promise<Known> {
  try {
    const list: unknown = JSON.parse(await readFile(file, "utf8"));
    return Array.isArray(list) ? (list as Known) : [];
  } catch {
    return [];
  }
}

async function writeCache(file: string, known: Known): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, JSON.stringify(known));
  await rename(`${file}.${process.pid}`, file);
}
