import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { addRecentModel, readRecentModels } from "../../../src/models/recentModels.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

describe("recent models", () => {
  it("are listed latest first, each once", () => {
    const here = temporaryFolder();
    for (const model of ["/m/a.gguf", "/m/b.gguf", "/m/a.gguf"]) addRecentModel(model, here);
    expect(readRecentModels(here)).toEqual(["/m/a.gguf", "/m/b.gguf"]);
  });

  it("keep the last ten", () => {
    const here = temporaryFolder();
    for (let i = 0; i < 15; i++) addRecentModel(`/m/${i}.gguf`, here);
    expect(readRecentModels(here)).toHaveLength(10);
    expect(readRecentModels(here)[0]).toBe("/m/14.gguf");
  });

  it.each(["", "{", "{}", '[1, "relative.gguf"]'])("are none when the file holds %j", (text) => {
    const here = temporaryFolder();
    writeFileSync(path.join(here, "recent-models.json"), text);
    expect(readRecentModels(here)).toEqual([]);
  });
});
