// The model files used last, shared by every window and the CLI.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { dataFolder } from "../common/dataFolder.ts";

const kept = 10;

/** Latest first; a missing or damaged file is an empty list. */
export function readRecentModels(folder = dataFolder()): string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(path.join(folder, "recent-models.json"), "utf8"));
    return Array.isArray(list)
      ? list.filter((item) => typeof item === "string" && path.isAbsolute(item)).slice(0, kept)
      : [];
  } catch {
    return []; // Only a convenience: nothing is lost but a list of names.
  }
}

export function addRecentModel(model: string, folder = dataFolder()): void {
  const list = [model, ...readRecentModels(folder).filter((other) => other !== model)].slice(0, kept);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "recent-models.json");
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(list, null, 2));
  renameSync(`${file}.${process.pid}`, file);
}
