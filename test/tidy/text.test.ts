import { describe, expect, it } from "vitest";
import { read, repositoryFiles } from "../support/sources.ts";

const text = repositoryFiles().filter((file) => /\.(ts|mjs|cjs|js|json|md|cpp|h|inc|cu|cuh|txt|svg|yml)$/.test(file));
const isOurs = (file: string) => file !== "package-lock.json" && !file.startsWith("test/tidy/");

function linesMatching(files: string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 80)}`] : [])),
  );
}

describe("texts", () => {
  it("hold no unfinished or switched-off places", () => {
    expect(linesMatching(text.filter(isOurs), /\b(TODO|FIXME|XXX)\b|\.only\(|\b(it|test|describe)\.skip\(/)).toEqual(
      [],
    );
  });

  it("hold no absolute paths of a developer's machine", () => {
    expect(linesMatching(text.filter(isOurs), /(^|[\s"'`(=])\/(home|Users|root|work)\//)).toEqual([]);
  });

  it("are ASCII in C++ and CUDA", () => {
    const native = text.filter((file) => /\.(cpp|h|inc|cu|cuh)$/.test(file));
    expect(linesMatching(native, /[^\t\x20-\x7e]/)).toEqual([]);
  });

  it("have no trailing blanks", () => {
    const files = text.filter((file) => isOurs(file) && !file.endsWith(".md"));
    expect(linesMatching(files, /[ \t]$/)).toEqual([]);
  });
});
