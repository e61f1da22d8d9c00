// Fetches a file whose size and checksum are known beforehand. Nothing is kept but the whole, right file.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { cancelled, throwIfCancelled } from "../../common/cancellation.ts";
import { AppError } from "../../common/errors.ts";

export interface Download {
  readonly url: URL;
  /** Where it is kept; the folder is made. */
  readonly target: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Given up when nothing comes for so long. */
  readonly stallMs: number;
}

export async function download(
  file: Download,
  onProgress: (bytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  throwIfCancelled(signal);
  const stall = new StallWatch(file.stallMs);
  const part = `${file.target}.${randomUUID()}.part`;
  try {
    const body = await request(file.url, AbortSignal.any([signal, stall.signal]));
    await mkdir(path.dirname(file.target), { recursive: true });
    await store(body, part, file, (bytes) => {
      stall.heard(bytes);
      onProgress(bytes, file.bytes);
    });
    await rename(part, file.target);
  } catch (error) {
    throw explain(error, file, stall, signal);
  } finally {
    stall.end();
    // Why the download failed matters more than a rest that cannot be removed.
    await rm(part, { force: true }).catch(() => {});
  }
}

async function request(url: URL, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(url, { signal });
  if (response.ok && response.body) return response.body;
  await response.body?.cancel();
  throw new AppError("dataset/unavailable", `${url} answered ${response.status} ${response.statusText}`.trimEnd(), {
    status: response.status,
  });
}

async function store(
  body: AsyncIterable<Uint8Array>,
  part: string,
  { url, bytes: expected, sha256 }: Download,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const hash = createHash("sha256");
  const handle = await open(part, "wx");
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > expected) throw new AppError("dataset/invalid", `${url} sent more than its ${expected} bytes`);
      hash.update(chunk);
      await handle.writeFile(chunk);
      onBytes(bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (bytes < expected) throw new AppError("dataset/invalid", `${url} sent ${bytes} of ${expected} bytes`);
  const actual = hash.digest("hex");
  if (actual !== sha256) {
    throw new AppError("dataset/invalid", `${url} sent another file: SHA-256 ${actual}, expected ${sha256}`);
  }
}

function explain(thrown: unknown, { url, target, bytes }: Download, stall: StallWatch, signal: AbortSignal): unknown {
  if (signal.aborted) return cancelled();
  if (stall.signal.aborted) {
    const message = `${url} sent nothing for ${stall.limitMs / 1000} s after ${stall.bytes} of ${bytes} bytes`;
    return new AppError("dataset/unavailable", message, {}, thrown);
  }
  if (thrown instanceof AppError) return thrown;
  const { code, syscall, cause } = thrown as NodeJS.ErrnoException;
  if (syscall !== undefined && cause === undefined) {
    return new AppError("file/unwritable", `${target} cannot be written: ${code}`, {}, thrown);
  }
  const reason = cause as NodeJS.ErrnoException | undefined;
  const isOffline = reason?.code === "EAI_AGAIN" || reason?.code === "ENOTFOUND";
  const why = isOffline
    ? `its host is not found (${reason.code})`
    : (reason?.code ?? reason?.message ?? String(thrown));
  return new AppError("dataset/unavailable", `${url} cannot be fetched: ${why}`, {}, thrown);
}

/** Fires its signal when nothing was heard for the limit. */
class StallWatch {
  readonly limitMs: number;
  bytes = 0;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
    this.timer = setTimeout(() => this.controller.abort(), limitMs);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(bytes: number): void {
    this.bytes = bytes;
    this.timer.refresh();
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
