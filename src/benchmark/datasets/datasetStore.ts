// The data sets on this machine: files the user names, and those fetched into Hotpath's data folder on request.
import { createHash } from "node:crypto";
import { access, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { AppError } from "../../common/errors.ts";
import type { DatasetInfo } from "../suite.ts";
import type { DatasetDefinition } from "./catalogue.ts";
import { download } from "./download.ts";

export interface LoadedDataset<Row> {
  readonly info: DatasetInfo;
  readonly rows: readonly Row[];
  /** False: a file of the user's with other content than the published one. */
  readonly isPublished: boolean;
}

export interface DatasetStoreOptions {
  /** "datasets" in the data folder. */
  readonly folder: string;
  /** Files of the user's by name of the data set; they go before fetched ones. Packed with gzip or plain. */
  readonly files?: Readonly<Record<string, string>>;
  /** Serves files as /owner/name/revision/path. */
  readonly origin?: string;
  readonly stallMs?: number;
}

/** Far above the largest set, far below what would hurt: a packed file may hide a thousand times its size. */
const largestBytes = 64 << 20;

export class DatasetStore {
  private readonly folder: string;
  private readonly files: Readonly<Record<string, string>>;
  private readonly origin: string;
  private readonly stallMs: number;

  constructor({
    folder,
    files = {},
    origin = "https://raw.githubusercontent.com",
    stallMs = 30_000,
  }: DatasetStoreOptions) {
    this.folder = folder;
    this.files = files;
    this.origin = origin;
    this.stallMs = stallMs;
  }

  /** Whether `load` would find a file; one that was fetched and is damaged is as good as none. */
  async has(dataset: DatasetDefinition): Promise<boolean> {
    const local = this.files[dataset.name];
    const looked: Promise<unknown> = local === undefined ? this.#read(dataset) : access(local);
    return looked.then(
      () => true,
      () => false,
    );
  }

  /** Rejects with `dataset/unavailable` where there is no file: it is fetched on the user's request only. */
  async load<Row>(dataset: DatasetDefinition<Row>): Promise<LoadedDataset<Row>> {
    const { file, text, sha256 } = await this.#read(dataset);
    const rows = dataset.read(decode(text, file), file);
    const source = this.files[dataset.name] === undefined ? "fetched" : "local file";
    return {
      info: { name: dataset.name, sha256, rows: rows.length, source },
      rows,
      isPublished: sha256 === dataset.sha256,
    };
  }

  /** A fetched file only as it is published; one of the user's may be another. */
  async #read(dataset: DatasetDefinition): Promise<{ file: string; text: Buffer; sha256: string }> {
    const local = this.files[dataset.name];
    const file = local ?? this.cachePath(dataset);
    const text = await readText(file, local === undefined ? missing(dataset) : `there is no file ${file}`).catch(
      (error: AppError) => {
        throw local === undefined && error.code === "dataset/invalid" ? toBeFetchedAgain(error.message) : error;
      },
    );
    const sha256 = createHash("sha256").update(text).digest("hex");
    if (local === undefined && sha256 !== dataset.sha256) {
      throw toBeFetchedAgain(`${file} was changed: SHA-256 ${sha256}`);
    }
    return { file, text, sha256 };
  }

  /** Fetches the file from where it is published, also when it is there already. */
  async fetch(
    dataset: DatasetDefinition,
    onProgress: (bytes: number, totalBytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { repository, revision, bytes } = dataset;
    const file = {
      url: new URL(`${repository}/${revision}/${dataset.path}`, `${this.origin}/`),
      target: this.cachePath(dataset),
      bytes,
      sha256: dataset.packedSha256 ?? dataset.sha256,
      stallMs: this.stallMs,
    };
    await download(file, onProgress, signal).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== "dataset/unavailable") throw error;
      const message = `${error.message}; a copy of the file does as well: --dataset ${dataset.name}=FILE`;
      throw new AppError(error.code, message, error.details, error);
    });
  }

  /** The checksum is part of the name, so that another edition of a set never takes this one's place. */
  private cachePath({ name, sha256, path: published }: DatasetDefinition): string {
    const extension = path.posix.basename(published).replace(/^[^.]*/, "");
    return path.join(this.folder, `${name}-${sha256.slice(0, 12)}${extension}`);
  }
}

function missing({ name, title, repository, path: published }: DatasetDefinition): string {
  return (
    `${title} is not on this machine; let it be fetched (--fetch) from github.com/${repository}, ` +
    `or give a copy of its ${published} with --dataset ${name}=FILE`
  );
}

function toBeFetchedAgain(problem: string): AppError {
  return new AppError("dataset/invalid", `${problem}; fetch it again (--fetch)`);
}

async function readText(file: string, whenMissing: string): Promise<Buffer> {
  const bytes = await readBounded(file, whenMissing);
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isPacked) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: largestBytes });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("dataset/invalid", `${file} cannot be unpacked: ${why}`, {}, error);
  }
}

async function readBounded(file: string, whenMissing: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > largestBytes) {
      throw new AppError("dataset/invalid", `${file} has ${size} bytes; data sets have at most ${largestBytes}`);
    }
    return await readFile(file);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new AppError("dataset/unavailable", whenMissing, {}, error);
    throw new AppError("file/unreadable", `${file}: ${message}`, {}, error);
  }
}

function decode(text: Buffer, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch (error) {
    throw new AppError("dataset/invalid", `${file} is not UTF-8 text`, {}, error);
  }
}
