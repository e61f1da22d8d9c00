import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { RecordEntry } from "../../../../src/benchmark/record/entries.ts";
import { RecordWriter } from "../../../../src/benchmark/record/recordWriter.ts";
import { nothingLeft, progressOf } from "../../../../src/benchmark/record/resume.ts";
import {
  deleteRun,
  listRuns,
  listUnreadable,
  newRunId,
  recordFile,
  runFolder,
} from "../../../../src/benchmark/record/runs.ts";
import {
  exampleEntries,
  exampleOutput,
  exampleRecord,
  exampleRun,
  recordText,
} from "../../../support/benchmarkRecord.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

let env: NodeJS.ProcessEnv;
beforeEach(() => {
  env = { HOTPATH_DATA_DIR: temporaryFolder() };
});

function put(runId: string, entries: readonly RecordEntry[], cut = 0): void {
  const folder = runFolder(runId, env);
  mkdirSync(folder, { recursive: true });
  const text = recordText([{ ...exampleRun, runId }, ...entries]);
  writeFileSync(recordFile(folder), text.slice(0, text.length - cut));
}

describe("the runs of this machine", () => {
  it("are listed with their state, newest first", async () => {
    const long = exampleOutput({ text: "x".repeat(100_000) });
    put("20261120-100000-000001", [long, { type: "end", atMs: 5, status: "complete" }]);
    put("20261121-100000-000002", [{ type: "end", atMs: 5, status: "cancelled" }]);
    put("20261122-100000-000003", [long]);
    put("20261122-110000-000004", [{ type: "end", atMs: 5, status: "complete" }], 1);
    put("20261119-100000-000005", [], 10);
    mkdirSync(path.join(env.HOTPATH_DATA_DIR ?? "", "benchmarks", "synthetic"));
    const writer = await RecordWriter.create(runFolder("20261122-120000-000006", env), {
      ...exampleRun,
      runId: "20261122-120000-000006",
    });
    const listed = (await listRuns(env)).map(({ run, status }) => `${run.runId.slice(-1)} ${status}`);
    await writer.close();
    expect(listed).toEqual(["6 running", "4 unfinished", "3 unfinished", "2 cancelled", "1 complete"]);
  });

  it("tell what is left to be tried again, as far as their end says it", async () => {
    const left = { failures: 2, unscored: 1 };
    put("20261122-100000-000001", [{ type: "end", atMs: 5, status: "complete", left }]);
    put("20261121-100000-000002", [{ type: "end", atMs: 5, status: "complete" }]);
    put("20261120-100000-000003", [exampleOutput()]);
    expect((await listRuns(env)).map((run) => run.left)).toEqual([left, nothingLeft, nothingLeft]);
  });

  it("are listed apart where their record cannot be read, with the reason", async () => {
    put("20261122-100000-000001", []);
    put("20261121-100000-000002", [], 10);
    const folder = runFolder("20261120-100000-000003", env);
    mkdirSync(folder, { recursive: true });
    writeFileSync(recordFile(folder), `${JSON.stringify({ ...exampleRun, version: 2 })}\n`);
    expect((await listRuns(env)).map(({ run }) => run.runId)).toEqual(["20261122-100000-000001"]);
    expect(await listUnreadable(env)).toMatchObject([
      { startedAt: "2026-11-21T10:00:00.000Z", problem: { message: expect.stringContaining("no whole line") } },
      { runId: "20261120-100000-000003", problem: { message: expect.stringContaining("of version 2") } },
    ]);
  });

  it("are none where nothing was run", async () => {
    expect(await listRuns(env)).toEqual([]);
  });

  it("can be deleted, unless they go on or are none", async () => {
    const runId = newRunId(new Date("2026-11-22T20:30:00.123Z"));
    expect(runId).toMatch(/^20261122-203000-[0-9a-f]{6}$/);
    const writer = await RecordWriter.create(runFolder(runId, env), { ...exampleRun, runId });
    await expect(deleteRun(runId, env)).rejects.toMatchObject({ code: "request/invalid" });
    await writer.close();
    await deleteRun(runId, env);
    expect(await listRuns(env)).toEqual([]);
    await expect(deleteRun(runId, env)).rejects.toMatchObject({ message: `there is no run ${runId}` });
    await expect(deleteRun("../..", env)).rejects.toMatchObject({
      message: '"../.." is not the id of a benchmark run',
    });
  });
});

describe("progressOf", () => {
  it("finds everything done and scored in a complete run", () => {
    const { doneCount, unscored } = progressOf(exampleRecord(2));
    expect({ doneCount, unscored }).toEqual({ doneCount: 2 * 10 + 80 + 24 + 2, unscored: [] });
  });

  it("finds, after every line, what lacks its score, and counts no warm-up", () => {
    const entries = exampleEntries(1);
    const isMeasured = (entry: RecordEntry) => entry.type === "output" && !entry.isWarmUp;
    const counts = entries.map((_, index) => progressOf({ entries: entries.slice(0, index + 1) }));
    for (const [index, { doneCount, unscored }] of counts.entries()) {
      const soFar = entries.slice(0, index + 1);
      expect(doneCount).toBe(soFar.filter((entry) => isMeasured(entry) || entry.type === "typing").length);
      const last = entries[index];
      expect(unscored).toEqual(last?.type === "output" && last.suite !== "latency" ? [last] : []);
    }
  });
});
