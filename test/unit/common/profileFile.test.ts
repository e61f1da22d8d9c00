import path from "node:path";
import { describe, expect, it } from "vitest";
import { profileFile } from "../../../src/common/profileFile.ts";

describe("profileFile", () => {
  const env = { HOTPATH_DATA_DIR: path.resolve("data") };

  it("keeps models of one name apart in Hotpath's folder", () => {
    const [one, other] = ["a", "b"].map((folder) => profileFile(path.resolve(folder, "coder.gguf"), env));
    expect(path.dirname(path.dirname(one ?? ""))).toBe(path.join(env.HOTPATH_DATA_DIR, "profiles"));
    expect(path.basename(one ?? "")).toBe("coder.gguf.profile");
    expect(one).not.toBe(other);
  });
});
