import { describe, expect, it } from "vitest";
import { checkSocketPath, parseEngineFile, runtimeFiles } from "../../../src/protocol/runtimeFiles.ts";

const whole = { pid: 1, instance: "e1", productVersion: "1.0.0", protocolVersion: 1, socket: "/s", secret: "x" };

describe("parseEngineFile", () => {
  it("reads what an engine wrote", () => {
    expect(parseEngineFile(JSON.stringify(whole))).toEqual(whole);
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    "7",
    JSON.stringify({ ...whole, pid: "1" }),
    JSON.stringify({ ...whole, secret: undefined }),
  ])("gives nothing for %j", (json) => {
    expect(parseEngineFile(json)).toBeUndefined();
  });

  it("gives nothing for every prefix of a file", () => {
    const json = JSON.stringify(whole);
    for (let length = 0; length < json.length; length++) expect(parseEngineFile(json.slice(0, length))).toBeUndefined();
  });
});

describe("runtimeFiles", () => {
  it("keeps everything in the folder it is told", () => {
    const files = runtimeFiles({ HOTPATH_RUNTIME_DIR: "/run/x" });
    expect([files.engine, files.lock, files.socket("e1"), files.exit("e1")]).toEqual([
      "/run/x/engine.json",
      "/run/x/engine.lock",
      "/run/x/e1.sock",
      "/run/x/e1.exit",
    ]);
  });

  it("refuses a socket path the system cannot hold, with both lengths", () => {
    expect(() => checkSocketPath(`/${"a".repeat(200)}`)).toThrow(/201 bytes, the system allows 10[37]/);
  });
});
