import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commandIds, extensionId, walkthroughId } from "../../../src/editor/ids.ts";

const root = new URL("../../../", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const { commands, walkthroughs } = manifest.contributes;

describe("manifest", () => {
  it("has the id that the code opens settings and the walkthrough with", () => {
    expect(`${manifest.publisher}.${manifest.name}`).toBe(extensionId);
    expect(walkthroughs.map((walkthrough: { id: string }) => walkthrough.id)).toEqual([walkthroughId]);
  });

  it("offers exactly the commands that the code registers", () => {
    const offered = commands.map(({ command }: { command: string }) => command);
    expect(offered.sort()).toEqual(Object.values(commandIds).sort());
  });

  it("shows every command under the name of the product", () => {
    for (const { category, title } of commands) {
      expect(category).toBe("Hotpath");
      expect(title).toMatch(/^[A-Z]/);
    }
  });

  it("links only to commands that exist", () => {
    const links = JSON.stringify(manifest.contributes).matchAll(/(?:command|onCommand):(hotpath\.\w+)/g);
    const linked = [...links].map(([, command]) => command);
    expect(linked.length).toBeGreaterThan(0);
    for (const command of linked) expect(Object.values(commandIds)).toContain(command);
  });

  it("names pictures that are there", () => {
    const pictures = walkthroughs[0].steps.map(({ media }: { media: { svg: string } }) => media.svg);
    expect([manifest.icon, ...pictures].filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });
});
