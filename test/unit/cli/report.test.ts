import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordFile, runFolder } from "../../../src/benchmark/record/runs.ts";
import { asOnlyRun, refuseBesideOthers } from "../../../src/benchmark/run/oneRun.ts";
import type { Command, CommandContext, OptionValues } from "../../../src/cli/command.ts";
import { reportCommand } from "../../../src/cli/report.ts";
import { verifyCommand } from "../../../src/cli/verify.ts";
import { exampleEntries, exampleRun, recordText } from "../../support/benchmarkRecord.ts";
import { root } from "../../support/sources.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

const { runId } = exampleRun;
const dataFolder = process.env.HOTPATH_DATA_DIR;
let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
  process.env.HOTPATH_DATA_DIR = folder;
  mkdirSync(runFolder(runId), { recursive: true });
  writeFileSync(recordFile(runFolder(runId)), recordText(exampleEntries(1)));
});
afterEach(() => {
  if (dataFolder === undefined) delete process.env.HOTPATH_DATA_DIR;
  else process.env.HOTPATH_DATA_DIR = dataFolder;
});

async function run(command: Command, argument: string | undefined, options: OptionValues) {
  const printed: string[] = [];
  const context = {
    productFolder: root,
    signal: new AbortController().signal,
    print: (text: string) => printed.push(text),
    isTerminal: false,
    width: Number.POSITIVE_INFINITY,
  } as unknown as CommandContext;
  const code = await command.run(context, argument === undefined ? [] : [argument], options);
  return { code, text: printed.join("\n") };
}

const report = (argument: string | undefined, options: OptionValues = {}) => run(reportCommand, argument, options);

describe("hotpath report", () => {
  it("shows a run named by its id, its folder and its record", async () => {
    const { text } = await report(runId);
    expect(text).toContain("Coder 7B, exact");
    expect((await report(runFolder(runId))).text).toBe(text);
    expect((await report(recordFile(runFolder(runId)))).text).toBe(text);
  });

  it.each([
    ["md", /^# Hotpath benchmark/],
    ["csv", /^run,at_ms,/],
    ["json", /^\{"runId":/],
    ["html", /^<!DOCTYPE html>/],
    ["svg", /^<svg /],
  ])("writes --%s", async (format, start) => {
    expect((await report(runId, { [format]: true })).text).toMatch(start);
    const out = path.join(folder, "out");
    await report(runId, { [format]: true, out });
    expect(readFileSync(out, "utf8")).toMatch(start);
  });

  it("tells what a verification found only of the record that was verified", async () => {
    expect((await report(runId)).text).toContain("\nThis record is reported; nobody has verified it.");
    await run(verifyCommand, runId, {});
    expect((await report(runId)).text).toContain("\nThis record is verified at level 1 on ");
    const file = recordFile(runFolder(runId));
    writeFileSync(file, readFileSync(file, "utf8").replace('"totalMs":90000', '"totalMs":91000'));
    expect((await report(runId)).text).toContain("\nThis record is reported; nobody has verified it.");
    await run(verifyCommand, runId, {});
    expect((await report(runId)).text).toContain("\nThis record is reported; it did not hold on ");
    writeFileSync(path.join(runFolder(runId), "verification.json"), '{"level": 3}');
    expect((await report(runId)).text).toContain("nobody has verified it");
  });

  it("lists runs, recommends, and makes a bundle that verifies", async () => {
    expect((await report(undefined, { list: true })).text).toContain(`${runId}  complete`);
    expect((await report(runId, { budget: "5000" })).text).toMatch(
      /\nCoder 7B, exact writes 25 tokens in .* solves 75\.0 % of .*\.$/,
    );
    const bundle = path.join(folder, "bundle");
    await report(runId, { bundle });
    expect(readdirSync(bundle).sort()).toEqual([
      "bundle.json",
      "command.txt",
      "plan.json",
      "record.jsonl",
      "report.html",
      "report.md",
      "reproduce.sh",
    ]);
    const verified = await run(verifyCommand, bundle, { level: "1" });
    expect(verified.text).toContain("Verified at level 1");
    expect(verified.code).toBe(0);
    expect((await report(bundle)).text).toMatch(/\nThis record is verified at level 1 on \d{4}-\d\d-\d\d, on .*\.$/);
    expect((await run(verifyCommand, bundle, { level: "1" })).code).toBe(0);
    await expect(report(runId, { bundle })).rejects.toMatchObject({ code: "file/unwritable" });
  });

  it("says in every report that the record was changed", async () => {
    const file = recordFile(runFolder(runId));
    writeFileSync(file, readFileSync(file, "utf8").replace('"ttftMs":380', '"ttftMs":38'));
    const formats = [{}, { md: true }, { html: true }, { json: true }];
    const texts = await Promise.all(formats.map(async (format) => (await report(runId, format)).text));
    for (const text of texts) expect(text).toMatch(/The record is not as it was written: line 15 was changed/);
    expect(texts[0]).toContain(`${runId}, 2026-11-22T20:30:00.000Z, complete`);
  });

  it("makes a bundle of what it has read of a run that goes on", async () => {
    appendFileSync(recordFile(runFolder(runId)), '{"type":"output","atMs":1,"su');
    const bundle = path.join(folder, "bundle");
    await report(runId, { bundle });
    expect((await run(verifyCommand, bundle, {})).code).toBe(0);
  });

  it("refuses what makes no sense", async () => {
    const invalid = { code: "request/invalid" };
    await expect(report(undefined)).rejects.toMatchObject(invalid);
    await expect(report(runId, { md: true, csv: true })).rejects.toMatchObject(invalid);
    await expect(report(runId, { budget: "fast" })).rejects.toMatchObject(invalid);
    await expect(report("20200101-000000-abcdef")).rejects.toMatchObject({ code: "file/unreadable" });
    await expect(report(runId, { out: path.join(folder, "no", "such") })).rejects.toMatchObject({
      code: "file/unwritable",
    });
    await expect(run(verifyCommand, runId, { level: "4" })).rejects.toMatchObject(invalid);
    await expect(run(verifyCommand, runId, { limit: "0" })).rejects.toMatchObject(invalid);
    const nowhere = path.join(folder, "nowhere.gguf");
    await expect(run(verifyCommand, runId, { model: [nowhere] })).rejects.toMatchObject({
      code: "model/not-found",
      message: `there is no file ${nowhere}`,
    });
  });

  it("leaves nothing beside a file that is no record", async () => {
    const file = path.join(folder, "notes");
    writeFileSync(file, "nothing\n");
    expect((await run(verifyCommand, file, {})).code).toBe(1);
    expect(existsSync(path.join(folder, "verification.json"))).toBe(false);
  });

  it("ends with 1 when a record does not hold, and prints JSON when asked", async () => {
    const file = recordFile(runFolder(runId));
    writeFileSync(file, readFileSync(file, "utf8").replace('"ttftMs":380', '"ttftMs":38'));
    const { code, text } = await run(verifyCommand, runId, { json: true });
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject({ runId, holds: false, levels: [{ level: 1 }] });
  });

  it("generates again alone: not beside a run, and no run begins beside it", async () => {
    const holder = `another window or a terminal (process ${process.pid})`;
    await asOnlyRun(async () => {
      await expect(run(verifyCommand, runId, { level: "3" })).rejects.toMatchObject({
        code: "request/invalid",
        message: expect.stringContaining(holder),
      });
      expect((await run(verifyCommand, runId, { level: "2" })).text).toContain("Level 2, ");
    });
    const verified = run(verifyCommand, runId, { level: "3" });
    expect(refuseBesideOthers).toThrow(holder);
    expect((await verified).text).toContain("Level 3, ");
    expect(refuseBesideOthers).not.toThrow();
  });
});
