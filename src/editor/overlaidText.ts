import type { TextSource } from "../completion/documentWindow.ts";

/** `source` as it reads once `text` has replaced what is from `start` to `end`. */
export function overlaid(source: TextSource, start: number, end: number, text: string): TextSource {
  const growth = text.length - (end - start);
  const newEnd = start + text.length;
  const slice = (from: number, to: number) =>
    source.slice(Math.min(from, start), Math.min(to, start)) +
    text.slice(Math.max(0, from - start), Math.max(0, to - start)) +
    source.slice(Math.max(from, newEnd) - growth, Math.max(to, newEnd) - growth);
  return { length: source.length + growth, slice };
}
