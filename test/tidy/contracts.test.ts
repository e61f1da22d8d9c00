import { createHash } from "node:crypto";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { errorCodes } from "../../src/common/errors.ts";
import { protocolVersion } from "../../src/protocol/engine.ts";
import { read, root } from "../support/sources.ts";

describe("error codes", () => {
  it("are the same in TypeScript and C++", () => {
    const native = [...read("native/core/error_codes.inc").matchAll(/"([a-z]+\/[a-z-]+)"/g)].map((match) => match[1]);
    expect(native.sort()).toEqual(Object.keys(errorCodes).sort());
  });
});

describe("protocol", () => {
  /** Changing what crosses the wire means raising `protocolVersion` and then recording the new digest here. */
  const recorded = { version: 13, digest: "1f0b9c2fa490a927" };

  it("has a new version when it has new text", () => {
    const digest = createHash("sha256");
    for (const name of ["engine", "model", "planning"]) digest.update(read(`src/protocol/${name}.ts`));
    expect({ version: protocolVersion, digest: digest.digest("hex").slice(0, 16) }).toEqual(recorded);
  });
});

describe("addon", () => {
  it("exports what its TypeScript declaration says", () => {
    const declaration = /export interface Addon \{([\s\S]*?)\n\}/.exec(read("src/engineHost/addon.ts"))?.[1] ?? "";
    const declared = [...declaration.matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1]);
    const module = { exports: {} };
    process.dlopen(module, path.join(root, "dist", "native", "hotpath.node"));
    expect(declared.length).toBeGreaterThan(3);
    expect(Object.keys(module.exports).sort()).toEqual(declared.sort());
  });
});
