import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { RecordEntry } from "../../../../src/benchmark/record/entries.ts";
import { requestSha256 } from "../../../../src/benchmark/record/hashes.ts";
import { parseRecord } from "../../../../src/benchmark/record/parse.ts";
import { readRecordFile } from "../../../../src/benchmark/record/recordFile.ts";
import { exampleEntries, exampleOutput, exampleRun, recordText } from "../../../support/benchmarkRecord.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

function read(text: string | Buffer) {
  const file = path.join(temporaryFolder(), "record.jsonl");
  writeFileSync(file, text);
  return readRecordFile(file);
}

const entries: RecordEntry[] = [exampleRun, ...[0, 1, 2, 3].map((repetition) => exampleOutput({ repetition }))];
const lines = recordText(entries).split("\n").slice(0, -1);
const joined = (changed: readonly (string | undefined)[]) => `${changed.join("\n")}\n`;
const problemsOf = async (changed: readonly (string | undefined)[]) => (await read(joined(changed))).problems;

describe("readRecordFile", () => {
  it("reads what was written, as parseRecord does", async () => {
    const text = recordText(exampleEntries());
    const { record, problems, wholeBytes } = await read(text);
    expect({ record, problems, wholeBytes }).toEqual({
      record: parseRecord(text),
      problems: [],
      wholeBytes: Buffer.byteLength(text),
    });
    expect(record.entries).toMatchObject(exampleEntries());
  });

  it("reads a record cut off anywhere as its whole lines", async () => {
    const text = Buffer.from(
      recordText([exampleRun, exampleOutput({ text: "äöü€𝄞" }), exampleOutput({ repetition: 1 })]),
    );
    const first = text.indexOf(10) + 1;
    const second = text.indexOf(10, first) + 1;
    for (let length = first; length < text.length; length += 7) {
      const { record, problems, wholeBytes } = await read(text.subarray(0, length));
      const whole = length < second ? 1 : 2;
      expect(problems).toEqual([]);
      expect(record).toMatchObject({ isTorn: length !== first && length !== second, entries: { length: whole } });
      expect(wholeBytes).toBe(whole === 1 ? first : second);
    }
  });

  it("leaves out a last line of zeros, as a power failure leaves it", async () => {
    const { record } = await read(`${joined(lines)}${"\0".repeat(100)}\n`);
    expect(record).toMatchObject({ isTorn: true, entries: { length: 5 } });
  });

  it("opens 10,000 outputs in less than a second", async () => {
    const text = recordText(exampleEntries(1000));
    const file = path.join(temporaryFolder(), "record.jsonl");
    writeFileSync(file, text);
    // Time of the processor: tests that run at the same time do not count.
    const start = process.cpuUsage();
    const { record } = await readRecordFile(file);
    const { user, system } = process.cpuUsage(start);
    expect(record.entries.filter(({ type }) => type === "output").length).toBeGreaterThan(10_000);
    expect((user + system) / 1000).toBeLessThan(1000);
  });

  it.each([
    ["an empty file", "", "the record has no whole line; the run was cut off before it began"],
    ["a first line without its end", lines[0], "the record has no whole line; the run was cut off before it began"],
    ["a line in the middle that is not JSON", joined([lines[0], "{", lines[1]]), "line 2 of the record is not JSON"],
    ["another first line", joined([lines[1]]), 'line 1 of the record: "run" is the first line and no other'],
    ["a second run", joined([lines[0], lines[0]]), 'line 2 of the record: "run" is the first line and no other'],
    ["a line of a wrong shape", joined([lines[0], '{"type":"end"}']), 'line 2 of the record: "atMs" is missing'],
    [
      "a newer version",
      joined(['{"type":"run","version":2}']),
      "the record is of version 2, this Hotpath reads version 1: open it with a newer Hotpath",
    ],
  ])("refuses %s", async (_, text, message) => {
    await expect(read(text ?? "")).rejects.toMatchObject({ code: "record/invalid", message });
    expect(() => parseRecord(text ?? "")).toThrow(expect.objectContaining({ code: "record/invalid", message }));
  });

  it("says that a file is not there", async () => {
    await expect(readRecordFile(path.join(temporaryFolder(), "none"))).rejects.toMatchObject({
      code: "file/unreadable",
    });
  });
});

describe("the chain", () => {
  const [run, a, b, c, d] = lines;

  it("names a line that was changed", async () => {
    expect(await problemsOf([run, a, b?.replace('"ttftMs":400', '"ttftMs":40'), c, d])).toEqual([
      { line: 3, message: "line 3 was changed, or lines before it are missing" },
    ]);
  });

  it("names the line after one that was dropped", async () => {
    expect(await problemsOf([run, a, c, d])).toEqual([
      { line: 3, message: "line 3 was changed, or lines before it are missing" },
    ]);
  });

  it("names lines that were moved", async () => {
    expect(await problemsOf([run, b, a, c, d])).toEqual([
      { line: 2, message: "line 2 was written after line 3: lines were moved" },
      { line: 3, message: "line 3 was written after line 1: lines were moved" },
      { line: 4, message: "line 4 was written after line 2: lines were moved" },
    ]);
  });

  it("names a line that was doubled and one without a hash", async () => {
    expect(await problemsOf([run, a, a, b])).toEqual([
      { line: 3, message: "line 3 was written after line 1: lines were moved" },
    ]);
    await expect(problemsOf([run, a?.replace(/,"chain.*"/, "")])).rejects.toMatchObject({
      message: 'line 2 of the record: "chain" is missing',
    });
  });
});

describe("a record of which every line was changed", () => {
  it("is told of as what it is where its lines end as on Windows", async () => {
    const [first] = (await read(recordText(entries).replaceAll("\n", "\r\n"))).problems;
    expect(first).toEqual({ line: 1, message: "line 1 ends in CR LF: the file was converted" });
  });

  it("is told of by a few of them, and soon, however many there are", async () => {
    const text = recordText(exampleEntries(1000)).replaceAll(/"chain":"\w{8}/g, '"chain":"00000000');
    const { problems, record } = await read(text);
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(problems.at(-1)?.message).toBe(`so it is with ${record.entries.length - 10} more, from line 11 on`);
  });
});

describe("requestSha256", () => {
  it("does not depend on the order of members", () => {
    const prompt = { kind: "fim", prefix: "a", suffix: "b" } as const;
    const rest = {
      maxTokens: 1,
      maxLines: 0,
      stop: ["x", "y"],
      temperature: 0,
      topP: 1,
      seed: 1,
      ignoreEnd: false,
      timeLimitMs: 0,
    };
    const hash = requestSha256({ prompt, ...rest });
    expect(requestSha256({ ...rest, prompt: { suffix: "b", prefix: "a", kind: "fim" } })).toBe(hash);
    expect(requestSha256({ ...rest, stop: ["y", "x"], prompt })).not.toBe(hash);
  });
});
