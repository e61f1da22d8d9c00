import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { buildSync } from "esbuild";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { readRecordFile } from "../../../../src/benchmark/record/recordFile.ts";
import { RecordWriter } from "../../../../src/benchmark/record/recordWriter.ts";
import { progressOf } from "../../../../src/benchmark/record/resume.ts";
import { exampleEntries, exampleOutput, exampleRun, recordText } from "../../../support/benchmarkRecord.ts";
import { root } from "../../../support/sources.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = path.join(temporaryFolder(), "run");
  file = path.join(folder, "record.jsonl");
});

describe("RecordWriter", () => {
  it("writes each entry as a chained line", async () => {
    const [run, ...rest] = exampleEntries(1);
    const writer = await RecordWriter.create(folder, run as typeof exampleRun);
    await Promise.all(rest.map((entry) => writer.append(entry)));
    await writer.close();
    expect(readFileSync(file, "utf8")).toBe(recordText(exampleEntries(1)));
  });

  it("has written an entry when append resolves", async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    await writer.append(exampleOutput({ text: "é\n" }));
    expect(readFileSync(file, "utf8")).toBe(recordText([exampleRun, exampleOutput({ text: "é\n" })]));
    await writer.close();
  });

  it("has an entry once that was appended again after the disk had refused to keep it", async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    const handle = await open(file);
    const refused = vi
      .spyOn(Object.getPrototypeOf(handle) as FileHandle, "datasync")
      .mockRejectedValueOnce(new Error("EIO"));
    const end = { type: "end", atMs: 1, status: "cancelled" } as const;
    await expect(writer.append(end)).rejects.toMatchObject({ code: "file/unwritable" });
    refused.mockRestore();
    await handle.close();
    await writer.append(end);
    await writer.close();
    const { record, problems } = await readRecordFile(file);
    expect({ types: record.entries.map(({ type }) => type), problems }).toEqual({
      types: ["run", "end"],
      problems: [],
    });
  });

  it("cuts a torn line off and goes on behind the whole ones", async () => {
    const first = await RecordWriter.create(folder, exampleRun);
    await first.append(exampleOutput({ text: "ü" }));
    await first.close();
    appendFileSync(file, '{"type":"output","atMs":1,"su');
    const { writer, record } = await RecordWriter.resume(folder);
    await writer.append(exampleOutput({ repetition: 1 }));
    await writer.close();
    expect(record).toMatchObject({ isTorn: true, entries: [{ type: "run" }, { repetition: 0 }] });
    expect(readFileSync(file, "utf8")).toBe(
      recordText([exampleRun, exampleOutput({ text: "ü" }), exampleOutput({ repetition: 1 })]),
    );
  });

  it("refuses to resume a run that is complete, and resumes one that was cancelled", async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    await writer.append({ type: "end", atMs: 1, status: "cancelled" });
    await writer.close();
    const resumed = await RecordWriter.resume(folder);
    await resumed.writer.append({ type: "end", atMs: 2, status: "complete" });
    await resumed.writer.close();
    await expect(RecordWriter.resume(folder)).rejects.toMatchObject({
      code: "request/invalid",
      message: `run ${exampleRun.runId} is complete; there is nothing to resume`,
    });
    expect(existsSync(path.join(folder, "record.lock"))).toBe(false);
  });

  it("refuses to resume a record that was changed", async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    await writer.append(exampleOutput());
    await writer.close();
    writeFileSync(file, readFileSync(file, "utf8").replace('"ttftMs":400', '"ttftMs":300'));
    await expect(RecordWriter.resume(folder)).rejects.toMatchObject({
      code: "record/invalid",
      message: "line 2 was changed, or lines before it are missing; such a run cannot be resumed",
    });
  });

  it("refuses an entry that could not be read again", async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    await expect(writer.append(exampleOutput({ ttftMs: Number.NaN }))).rejects.toMatchObject({
      code: "internal/bug",
      message: 'an entry that nobody could read: "ttftMs" cannot be null',
    });
    await writer.append(exampleOutput());
    await writer.close();
    expect(readFileSync(file, "utf8")).toBe(recordText([exampleRun, exampleOutput()]));
  });

  it("lets one process at a time write", async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    const refusal = { code: "file/unwritable", details: { holder: `process ${process.pid}` } };
    await expect(RecordWriter.create(folder, exampleRun)).rejects.toMatchObject(refusal);
    await expect(RecordWriter.resume(folder)).rejects.toMatchObject(refusal);
    await writer.close();
    await (await RecordWriter.resume(folder)).writer.close();
  });

  it("leaves nothing in the way of a record whose first line could not be written", async () => {
    await expect(RecordWriter.create(folder, { ...exampleRun, runId: "" })).rejects.toMatchObject({
      code: "internal/bug",
    });
    expect(readdirSync(folder)).toEqual([]);
    await (await RecordWriter.create(folder, exampleRun)).close();
  });

  const withUnlink = { meta: { reason: "Windows deletes no file that is open" } };
  it.runIf(process.platform !== "win32")("says at once that its record was deleted", withUnlink, async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    rmSync(folder, { recursive: true });
    await expect(writer.append(exampleOutput())).rejects.toMatchObject({
      code: "file/unwritable",
      message: `${file} was deleted while the run was writing it`,
    });
    await writer.close();
  });

  it("makes the folders above its own, and says at once where nobody can make one", async () => {
    const deep = path.join(folder, "a", "b");
    await (await RecordWriter.create(deep, exampleRun)).close();
    expect(existsSync(path.join(deep, "record.jsonl"))).toBe(true);
    if (!existsSync("/proc/self")) return;
    await expect(RecordWriter.create("/proc/nobody/can", exampleRun)).rejects.toMatchObject({
      code: "file/unwritable",
    });
  });

  it("leaves a lock alone whose maker has not written its name yet", async () => {
    await (await RecordWriter.create(folder, exampleRun)).close();
    writeFileSync(path.join(folder, "record.lock"), "");
    await expect(RecordWriter.resume(folder)).rejects.toMatchObject({ details: { holder: "another process" } });
  });

  it("takes the lock of a process that is gone, or was before the machine started", async () => {
    await (await RecordWriter.create(folder, exampleRun)).close();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    const lock = path.join(folder, "record.lock");
    const longAgo = new Date("2020-01-01");
    for (const [content, time] of [
      [String(pid), new Date()],
      [String(process.pid), longAgo],
      ["", longAgo],
    ] as const) {
      writeFileSync(lock, content);
      utimesSync(lock, time, time);
      await (await RecordWriter.resume(folder)).writer.close();
      expect(existsSync(lock)).toBe(false);
    }
  });

  it("refuses to overwrite a record, to write where it may not, and to append when closed", async () => {
    const writer = await RecordWriter.create(folder, exampleRun);
    await writer.close();
    await writer.close();
    await expect(writer.append(exampleOutput())).rejects.toMatchObject({ code: "internal/bug" });
    await expect(RecordWriter.create(folder, exampleRun)).rejects.toMatchObject({
      code: "file/unwritable",
      message: `${folder}: there is something already; choose another folder, or go on with the run in it by --resume`,
    });
    await expect(RecordWriter.create(file, exampleRun)).rejects.toMatchObject({ code: "file/unwritable" });
    await expect(RecordWriter.resume(path.join(folder, "other"))).rejects.toMatchObject({ code: "file/unwritable" });
  });
});

function buildChild(): string {
  const outfile = path.join(temporaryFolder(), "child.cjs");
  buildSync({
    entryPoints: [path.join(root, "test/support/recordChild.ts")],
    bundle: true,
    platform: "node",
    outfile,
    logLevel: "error",
  });
  return outfile;
}

// A limit on the size of files is the one full disk that everybody may make.
const withLimits = { meta: { reason: "Windows has no limit on the size of files" } };
describe.runIf(process.platform !== "win32")("RecordWriter on a disk without room", withLimits, () => {
  it("leaves nothing of a record that it could not begin, and no lock", () => {
    const child = spawnSync("bash", ["-c", `ulimit -f 0; exec ${process.execPath} "$0" "$1" 1`, buildChild(), folder]);
    expect(child.stderr.toString()).toContain("file/unwritable");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("keeps what was there and says what happened, as often as it is tried", async () => {
    const child = spawnSync("bash", [
      "-c",
      `ulimit -f 64; exec ${process.execPath} "$0" "$1" 1000`,
      buildChild(),
      folder,
    ]);
    const lines = child.stdout.toString().trimEnd().split("\n");
    const written = lines.length - 1;
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual(["file/unwritable", "file/unwritable", "file/unwritable"]);
    expect(written).toBeGreaterThan(10);
    const { record, problems } = await readRecordFile(file);
    expect(problems).toEqual([]);
    expect(record.entries.length).toBe(1 + written);
  });
});

// Thirty processes are started, which takes its time on a busy machine.
describe("a record whose writer is killed", { timeout: 120_000 }, () => {
  it("reads back as far as it was told to be written, and is resumed there, at 30 moments", async () => {
    const child = buildChild();
    let told = 0;
    for (let moment = 0; moment < 30; moment++) {
      const mode = moment === 0 ? "first" : "resume";
      const writer = spawn(process.execPath, [child, folder, "1000000", mode], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      writer.stdout.on("data", (data: Buffer) => {
        output += data;
      });
      await once(writer.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, (moment * 7) % 40));
      writer.kill("SIGKILL");
      await once(writer, "close");
      told = Number(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1)) + 1;
      const { record, problems } = await readRecordFile(file);
      expect(problems).toEqual([]);
      const outputs = record.entries.filter((entry) => entry.type === "output");
      expect(outputs.map(({ repetition }) => repetition)).toEqual(outputs.map((_, index) => index));
      expect(outputs.length).toBeGreaterThanOrEqual(told);
      expect(progressOf(record).doneCount).toBe(outputs.length);
    }
    expect(told).toBeGreaterThan(30);
  });
});
