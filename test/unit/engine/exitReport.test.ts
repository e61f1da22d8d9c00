import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exitReport, parseExitStatus, readLogTail } from "../../../src/engine/exitReport.ts";
import { runtimeFiles } from "../../../src/protocol/runtimeFiles.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

function freshFiles() {
  return runtimeFiles({ HOTPATH_RUNTIME_DIR: temporaryFolder() });
}

describe("parseExitStatus", () => {
  it.each([
    ["0\n", { exitCode: 0, signal: null }],
    ["70\n", { exitCode: 70, signal: null }],
    ["137\n", { exitCode: null, signal: "SIGKILL" }],
    ["139\n", { exitCode: null, signal: "SIGSEGV" }],
    ["nonsense\n", { exitCode: null, signal: null }],
  ])("reads %j", (text, status) => {
    expect(parseExitStatus(text)).toEqual(status);
  });
});

describe("exitReport", () => {
  it("names the signal and brings the last log lines", async () => {
    const files = freshFiles();
    writeFileSync(files.exit("e1"), "139\n");
    writeFileSync(files.log, Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n"));
    const error = await exitReport(files, "e1", 4711);
    expect(error.code).toBe("engine/exited");
    expect(error.message).toBe("the engine process 4711 was ended by SIGSEGV");
    expect(error.details).toMatchObject({ pid: 4711, signal: "SIGSEGV", exitCode: null });
    expect(String(error.details.logTail).split("\n")).toHaveLength(12);
    expect(error.details.logTail).toContain("line 39");
  });

  it("says that the status is unknown when nobody recorded it", async () => {
    const error = await exitReport(freshFiles(), "e1", 4711);
    expect(error.message).toContain("its exit status is not known");
  });
});

describe("readLogTail", () => {
  it("is empty when there is no log", () => {
    expect(readLogTail(freshFiles().log)).toBe("");
  });
});
