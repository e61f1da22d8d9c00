import path from "node:path";
import { describe, expect, it } from "vitest";
import { sidecarFiles } from "../../../src/common/sidecarFiles.ts";

describe("sidecarFiles", () => {
  const env = { HOTPATH_DATA_DIR: path.resolve("data") };

  it("names the file beside the model first", () => {
    const model = path.resolve("models", "coder.gguf");
    expect(sidecarFiles(model, env)[0]).toBe(`${model}.hotpath`);
  });

  it("keeps models of one name apart in Hotpath's folder", () => {
    const [one, other] = ["a", "b"].map((folder) => sidecarFiles(path.resolve(folder, "coder.gguf"), env)[1]);
    expect(path.dirname(path.dirname(one ?? ""))).toBe(path.join(env.HOTPATH_DATA_DIR, "sidecars"));
    expect(one).not.toBe(other);
  });
});
