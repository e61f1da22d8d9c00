// The hashes of a record.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { GenerationRequest } from "../subject.ts";
import type { RecordEntry } from "./entries.ts";

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Of a file of any size. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** Does not depend on the order in which members were set. */
export function requestSha256(request: GenerationRequest): string {
  return sha256(JSON.stringify(request, (_, value: unknown) => (isPlainObject(value) ? sorted(value) : value)));
}

/** The line of an entry, without its line feed. `before`: the chain of the line before it, "" for the first. */
export function sealEntry(entry: RecordEntry, before: string): { line: string; chain: string } {
  const { chain: _, ...bare } = entry as RecordEntry & { chain?: string };
  const text = JSON.stringify(bare);
  const chain = sha256(before + text);
  return { line: `${text.slice(0, -1)},"chain":"${chain}"}`, chain };
}

/** The parts of a line that `sealEntry` made; null: it did not. */
export function unsealLine(line: string): { text: string; chain: string } | null {
  const [seal, chain] = /,"chain":"([0-9a-f]{64})"\}$/.exec(line.slice(-sealLength)) ?? [];
  return seal !== undefined && chain !== undefined ? { text: `${line.slice(0, -seal.length)}}`, chain } : null;
}

const sealLength = ',"chain":""}'.length + 64;

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
