import path from "node:path";
import { describe, expect, it } from "vitest";
import { read, repositoryFiles } from "../support/sources.ts";

/** Who may import whom: the table in ARCHITECTURE.md. */
const mayImport: Record<string, readonly string[]> = {
  common: [],
  protocol: ["common"],
  engine: ["protocol", "common"],
  engineHost: ["protocol", "common"],
  completion: ["protocol", "common"],
  models: ["protocol", "common"],
  sandbox: ["common"],
  benchmark: ["sandbox", "engine", "completion", "models", "protocol", "common"],
  panel: ["benchmark", "sandbox", "protocol", "common"],
  editor: ["panel", "benchmark", "sandbox", "engine", "completion", "models", "protocol", "common"],
  cli: ["benchmark", "sandbox", "engine", "completion", "models", "protocol", "common"],
  "extension.ts": ["editor", "benchmark", "sandbox", "engine", "completion", "models", "protocol", "common"],
};
const mayLoadVscode = ["editor", "extension.ts"];

function importsOf(file: string): string[] {
  return [...read(file).matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

function areaOf(file: string): string {
  return path.posix.relative("src", file).split("/")[0] ?? "";
}

const sources = repositoryFiles().filter((file) => file.startsWith("src/") && file.endsWith(".ts"));

describe("imports", () => {
  it("finds the sources", () => {
    expect(sources.length).toBeGreaterThan(20);
  });

  it("stay within the import table", () => {
    const breaches = sources.flatMap((file) => {
      const area = areaOf(file);
      const own = importsOf(file).filter((name) => name.startsWith(".") && !name.endsWith(".json"));
      const targets = own.map((name) => areaOf(path.posix.join(path.posix.dirname(file), name)));
      const allowed = mayImport[area];
      if (!allowed) return [`${file}: folder ${area} is not in the import table`];
      return targets.filter((to) => to !== area && !allowed.includes(to)).map((to) => `${file} imports ${to}`);
    });
    expect(breaches).toEqual([]);
  });

  it("load vscode only in the editor folder", () => {
    const breaches = sources.filter(
      (file) => importsOf(file).includes("vscode") && !mayLoadVscode.includes(areaOf(file)),
    );
    expect(breaches).toEqual([]);
  });

  it("keep clocks, files and processes out of the completion folder", () => {
    const completion = sources.filter((file) => areaOf(file) === "completion");
    const ambient = /\b(Date\.now|performance\.now|setTimeout|setInterval|process\.|Math\.random)|from "node:/;
    expect(completion.filter((file) => ambient.test(read(file)))).toEqual([]);
  });
});
