import { readFileSync } from "node:fs";

/** Resident bytes of this process that are not mapped from files, as a loaded model mostly is; null: not told. */
export function privateBytes(): number | null {
  if (process.platform !== "linux") return null;
  const kilobytes = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
