// Decides from the rules of .gitignore and .hotpathignore files whether a file may be read by a model.
import ignore, { type Ignore } from "ignore";

/** Files that hold rules, weaker first. */
export const ignoreFileNames = [".gitignore", ".hotpathignore"] as const;

/** The rules of one folder. */
export interface FolderRules {
  /** Path of the file relative to this folder, with slashes. */
  readonly relativePath: string;
  readonly rules: Ignore | null;
}

export function parseRules(texts: readonly string[]): Ignore | null {
  return texts.some((text) => text.trim() !== "") ? ignore().add([...texts]) : null;
}

/**
 * `folders` go from the one that holds the file upwards. The nearest folder with something to say decides, unless a
 * folder above ignores a whole directory on the way: as in git, nothing below it can be brought back.
 */
export function isIgnored(folders: readonly FolderRules[]): boolean {
  let decided: boolean | undefined;
  for (const { relativePath, rules } of folders) {
    if (!rules) continue;
    const parent = relativePath.slice(0, relativePath.lastIndexOf("/") + 1);
    if (parent !== "" && rules.ignores(parent)) return true;
    const { ignored, unignored } = rules.test(relativePath);
    if (ignored || unignored) decided ??= ignored;
  }
  return decided ?? false;
}
