import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseRecord } from "../../src/benchmark/record/parse.ts";
import { type EngineSandbox, engineSandbox } from "../support/engineSandbox.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";

let sandbox: EngineSandbox;
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  sandbox = engineSandbox({ HOTPATH_DATA_DIR: folder });
});
afterEach(() => sandbox.end());

function hotpath(...args: string[]) {
  const command = [path.join(root, "dist", "cli.js"), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { env: sandbox.env, cwd: folder });
  return { code: status, text: `${stdout}${stderr}` };
}

describe("hotpath verify", { timeout: 120_000 }, () => {
  it("verifies the example that the README shows: its outputs score the same today", () => {
    cpSync(path.join(root, "media", "benchmark", "example"), path.join(folder, "example"), { recursive: true });
    const verified = hotpath("verify", "example", "--level", "2", "--limit", "8", "--allow-code", "--allow-reduced");
    expect(verified).toMatchObject({ code: 0, text: expect.stringContaining("Verified at level 2") });
  });

  it("finds that a run of the real engine repeats, in both modes, and that a changed one does not", () => {
    const run = hotpath(
      "bench",
      "--suite",
      "latency",
      "--mode",
      "dense,exact",
      "--limit",
      "2",
      "--repetitions",
      "2",
      "--out",
      "run",
    );
    expect(run.code, run.text).toBe(0);
    expect(hotpath("report", "run", "--bundle", "bundle").code).toBe(0);

    const verified = hotpath("verify", "bundle", "--level", "3");
    expect(verified.text).toContain("starter-nano-q8_0 (dense) writes the same texts: 2 texts; ");
    expect(verified.text).toContain("starter-nano-q8_0 (exact) writes the same texts: 2 texts; ");
    expect(verified).toMatchObject({ code: 0, text: expect.stringContaining("Verified at level 3") });

    cpSync(path.join(folder, "bundle"), path.join(folder, "changed"), { recursive: true });
    const record = path.join(folder, "changed", "record.jsonl");
    const text = readFileSync(record, "utf8");
    const line = parseRecord(text).entries.findIndex((entry) => entry.type === "output" && !entry.isWarmUp);
    const lines = text.split("\n");
    writeFileSync(record, lines.with(line, (lines[line] ?? "").replace(/"totalMs":[\d.]+/, '"totalMs":1')).join("\n"));
    const changed = hotpath("verify", "changed", "--level", "1");
    expect(changed).toMatchObject({ code: 1, text: expect.stringContaining(`line ${line + 1} was changed`) });
  });
});
