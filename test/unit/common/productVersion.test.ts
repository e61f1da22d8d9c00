import { describe, expect, it } from "vitest";
import { compareVersions } from "../../../src/common/productVersion.ts";

describe("compareVersions", () => {
  it("orders by number, not by text", () => {
    expect(compareVersions("0.9.0+a", "0.10.0+b")).toBeLessThan(0);
  });

  it("holds two builds of one version equal", () => {
    expect(compareVersions("1.2.3+a", "1.2.3+b")).toBe(0);
  });
});
