import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { suggestedModels } from "../../src/models/suggestedModels.ts";
import { read, root } from "../support/sources.ts";

const readme = read("README.md");

describe("README", () => {
  it("lists every setting with its default", () => {
    const manifest = JSON.parse(read("package.json")).contributes.configuration;
    const properties = Object.entries<{ default: unknown }>(manifest.properties ?? manifest[0].properties);
    const declared = properties.map(([key, { default: value }]) => [key, JSON.stringify(value)]);
    const listed = [...readme.matchAll(/^\| `(hotpath\.\w+)` \| `(.*?)` \|/gm)].map(([, key, value]) => [key, value]);
    expect(listed).toEqual(declared);
  });

  it("lists the suggested models", () => {
    const rows = suggestedModels.map(
      ({ name, sizeGB, license, fits }) => `| ${name} | ${sizeGB.toFixed(1)} GB | ${license} | ${fits} |`,
    );
    for (const row of rows) expect(readme).toContain(row);
  });

  it("names only scripts and files that exist", () => {
    const scripts = Object.keys(JSON.parse(read("package.json")).scripts);
    const used = [...readme.matchAll(/`npm (?:run )?(\w+)/g)].map((match) => match[1] ?? "");
    expect(used.filter((name) => !scripts.includes(name) && name !== "start" && name !== "test")).toEqual([]);
    const linked = [...readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map((match) => match[1] ?? "");
    expect(linked.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });
});
