// Files of synthesised weights: written when first needed, shared by the subjects that run them, deleted after the last.
import { mkdir, readdir, rm, statfs } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../common/errors.ts";
import type { Engine } from "../../engine/engine.ts";
import type { SyntheticModel } from "../../protocol/model.ts";
import { sha256 } from "../record/hashes.ts";
import type { SyntheticSubject } from "../subject.ts";

/** Left free on the disk. */
const reserveBytes = 1e9;

export type Recipe = Readonly<Record<string, string>>;

/** What `Engine.synthesize` is asked for. */
export function recipeOf({ shape, options, part }: SyntheticSubject): Recipe {
  return { preset: shape, ...options, ...(part ? { layers: String(part.layers) } : {}) };
}

interface Held {
  readonly path: string;
  readonly written: Promise<void>;
  users: number;
}

export class SyntheticFiles {
  readonly #engine: Engine;
  readonly #folder: string;
  readonly #own: string;
  readonly #vocabulary: string;
  readonly #held = new Map<string, Held>();

  /** `vocabulary` is the model whose tokens they get. */
  constructor(engine: Engine, folder: string, vocabulary: string) {
    this.#engine = engine;
    this.#folder = folder;
    this.#own = path.join(folder, String(process.pid));
    this.#vocabulary = vocabulary;
  }

  /** Of a file's content: the same recipe gives the same file. */
  hashOf(recipe: Recipe): string {
    return sha256(JSON.stringify(Object.entries(recipe).sort()));
  }

  describe(recipe: Recipe, signal: AbortSignal): Promise<SyntheticModel> {
    return this.#engine.describeSynthetic({ vocabulary: this.#vocabulary, options: recipe }, signal);
  }

  /** The path of the file, which stays until as many calls of `release`. */
  async acquire(recipe: Recipe, onProgress: (fraction: number) => void, signal: AbortSignal): Promise<string> {
    const key = this.hashOf(recipe);
    let held = this.#held.get(key);
    if (!held) {
      const file = path.join(this.#own, `${key.slice(0, 16)}.gguf`);
      held = { path: file, written: this.#write(file, recipe, onProgress, signal), users: 0 };
      this.#held.set(key, held);
    }
    held.users++;
    try {
      await held.written;
    } catch (error) {
      await this.release(recipe);
      throw error;
    }
    return held.path;
  }

  async release(recipe: Recipe): Promise<void> {
    const key = this.hashOf(recipe);
    const held = this.#held.get(key);
    if (!held || --held.users > 0) return;
    this.#held.delete(key);
    await rm(held.path, { force: true });
    if (this.#held.size === 0) await rm(this.#own, { recursive: true, force: true });
  }

  async #write(file: string, recipe: Recipe, onProgress: (fraction: number) => void, signal: AbortSignal) {
    await this.#removeForgotten();
    const params = { vocabulary: this.#vocabulary, options: recipe };
    const { bytes } = await this.describe(recipe, signal);
    await mkdir(this.#own, { recursive: true });
    const { bavail, bsize } = await statfs(this.#own);
    const free = bavail * bsize;
    if (bytes + reserveBytes > free) {
      const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
      const message = `${this.#own} has ${gigabytes(free)} free, and the synthetic model takes ${gigabytes(bytes)}; free some or choose a smaller shape`;
      throw new AppError("file/unwritable", message, { bytes, free });
    }
    await this.#engine.synthesize(
      { ...params, path: file },
      ({ bytes: done, totalBytes }) => onProgress(done / totalBytes),
      signal,
    );
  }

  /** What runs that were killed left behind; each process has a folder of its own. */
  async #removeForgotten(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (/^\d+$/.test(name) && !isRunning(Number(name)))
        await rm(path.join(this.#folder, name), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
