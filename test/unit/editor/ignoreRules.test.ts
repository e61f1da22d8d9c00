import { describe, expect, it } from "vitest";
import { type FolderRules, isIgnored, parseRules } from "../../../src/editor/ignoreRules.ts";

/** `files` maps a folder ("" is the repository root) to its rules. */
function check(path: string, files: Record<string, string>): boolean {
  const parts = path.split("/");
  const folders: FolderRules[] = [];
  for (let depth = parts.length - 1; depth >= 0; depth--) {
    const rules = parseRules([files[parts.slice(0, depth).join("/")] ?? ""]);
    folders.push({ relativePath: parts.slice(depth).join("/"), rules });
  }
  return isIgnored(folders);
}

describe("isIgnored", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["main.py", {}, false],
    ["main.py", { "": "# only a comment\n\n" }, false],
    ["build/out.js", { "": "build/" }, true],
    ["src/build.ts", { "": "build/" }, false],
    ["a/b/secret.txt", { "": "secret.txt" }, true],
    ["a/keep.log", { "": "*.log\n!keep.log" }, false],
    ["a/keep.log", { "": "*.log", a: "!keep.log" }, false],
    ["a/b/keep.log", { "": "*.log", a: "!keep.log", "a/b": "keep.log" }, true],
    ["a/gen/x.ts", { a: "/gen" }, true],
    ["gen/x.ts", { a: "/gen" }, false],
    ["vendor/keep.ts", { "": "vendor/", vendor: "!keep.ts" }, true],
  ])("answers for %s with %j: %s", (path, files, ignored) => {
    expect(check(path, files)).toBe(ignored);
  });

  it("joins the rules of both ignore files of one folder, the later one stronger", () => {
    const rules = parseRules(["*.log", "!keep.log"]);
    expect(isIgnored([{ relativePath: "keep.log", rules }])).toBe(false);
    expect(isIgnored([{ relativePath: "other.log", rules }])).toBe(true);
  });
});
