// The repository's own files, for rules that hold everywhere.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Paths relative to the root, with "/", of what git tracks or would track. */
export function repositoryFiles(): string[] {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  const deleted = new Set(git(["ls-files", "--deleted"]));
  return git(list).filter((file) => !deleted.has(file));
}

export function read(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}

function git(args: string[]): string[] {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
}
