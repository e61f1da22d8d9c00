import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { RecordEntry } from "../../../../src/benchmark/record/entries.ts";
import { parseRecord } from "../../../../src/benchmark/record/parse.ts";
import { renderCsv } from "../../../../src/benchmark/report/csv.ts";
import { renderMarkdown, reportVersion } from "../../../../src/benchmark/report/markdown.ts";
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatMs,
  formatNumber,
} from "../../../../src/benchmark/report/numbers.ts";
import { summarize } from "../../../../src/benchmark/report/summary.ts";
import { reportTables } from "../../../../src/benchmark/report/tables.ts";
import { renderText } from "../../../../src/benchmark/report/text.ts";
import { defaultRounds } from "../../../../src/benchmark/suite.ts";
import {
  exampleEntries,
  exampleOutput,
  exampleRecord,
  exampleRun,
  recordText,
} from "../../../support/benchmarkRecord.ts";

const recordOf = (entries: readonly RecordEntry[]) => parseRecord(recordText(entries));

/** Everybody's text: names, messages. */
const hostile = '<img src=x>|\u001b[31m`*_[a](b)\n# "&';
const hostileRecord = recordOf(
  exampleEntries(1).map((entry): RecordEntry => {
    if (entry.type === "warning") return { ...entry, message: hostile };
    if (entry.type !== "run") return entry;
    const subjects = entry.plan.subjects.map((subject) => ({ ...subject, label: hostile }));
    return { ...entry, plan: { ...entry.plan, subjects } };
  }),
);

/** The entry with 1.5 GB of each of these, where it is about a subject. */
function onGpus(entry: RecordEntry, devices: readonly string[]): RecordEntry {
  if (entry.type !== "subject") return entry;
  const memory = { weightBytes: 1e9, kvBytes: 3e8, computeBytes: 2e8, hotBytes: 0 };
  return { ...entry, facts: { ...entry.facts, gpuMemory: devices.map((device) => ({ device, ...memory })) } };
}

describe("numbers", () => {
  it.each([
    [0, "0"],
    [0.012345, "0.0123"],
    [9.876, "9.88"],
    [123.4, "123"],
    [12345, "12345"],
  ])("%f is written %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it("have units that fit them", () => {
    expect([formatMs(12.34), formatMs(12_345), formatBytes(999), formatBytes(4.08e10), formatCount(7.24e9)]).toEqual([
      "12.3 ms",
      "12.3 s",
      "999 B",
      "40.8 GB",
      "7.24B",
    ]);
  });

  it("have an interval that says its unit once, and none that says nothing", () => {
    expect(formatInterval({ low: 1, high: 2 }, formatMs)).toBe(" (1.00 to 2.00 ms)");
    expect(formatInterval({ low: 900, high: 1100 }, formatMs)).toBe(" (900 ms to 1.10 s)");
    expect(formatInterval({ low: 2, high: 2 }, formatMs)).toBe("");
    expect(formatInterval(null, formatMs)).toBe("");
  });
});

describe("the tables of a report", () => {
  it("have no column and no table without anything to tell", () => {
    for (const { rows, columns, title } of reportTables(summarize(exampleRecord(1)))) {
      expect(rows.length, title).toBeGreaterThan(0);
      for (const index of columns.keys())
        expect(
          rows.some((row) => row[index] !== ""),
          title,
        ).toBe(true);
      for (const row of rows) expect(row).toHaveLength(columns.length);
    }
  });

  it("explain every title that does not explain itself", () => {
    const plain = [
      "Suite",
      "Protocol",
      "Subject",
      "Against",
      "Which is",
      "Samples",
      "Difference",
      "Keystrokes",
      "Shown",
    ];
    const plainer = [...plain, "Correct", "Unused generations", "Typed characters already shown"];
    const explained = ["Speed", "Gain and its ceiling", "Quality", "Quality, pair by pair", "Typing"];
    const unexplained = reportTables(summarize(exampleRecord()))
      .filter(({ title }) => explained.includes(title))
      .flatMap(({ notes, columns }) => {
        const titles = columns.map(({ title }) => title.replace(/@\d+$/, "@n").replace(" tok/s", ""));
        const text = notes.join(" ").toLowerCase();
        return titles.filter((title) => !plainer.includes(title) && !text.includes(title.toLowerCase()));
      });
    expect(unexplained).toEqual([]);
  });

  it("are none of a run that was cut off at its start", () => {
    const summary = summarize(recordOf([exampleRun]));
    expect(reportTables(summary).map(({ title }) => title)).toEqual(["Subjects"]);
    expect(renderText(summary)).toContain("not finished");
  });

  it("tell of typing how much was answered, and how much ran beside others", () => {
    const typing = reportTables(summarize(exampleRecord(1))).find(({ title }) => title === "Typing");
    const [first = []] = typing?.rows ?? [];
    const cells = Object.fromEntries((typing?.columns ?? []).map(({ title }, index) => [title, first[index]]));
    expect(cells).toMatchObject({ Keystrokes: "28", Answered: "96.4 %", "Beside others": "1" });
  });

  it("tell what a subject takes of each GPU, and nothing of GPUs in a run that used none", () => {
    const tableOf = (entries: readonly RecordEntry[]) => reportTables(summarize(recordOf(entries)))[0];
    const withGpus = tableOf(exampleEntries(1).map((entry) => onGpus(entry, ["CUDA0", "Vulkan1"])));
    const column = withGpus?.columns.findIndex(({ title }) => title === "GPU memory") ?? 0;
    expect(withGpus?.rows[1]?.[column]).toBe("1.50 GB on CUDA0, 1.50 GB on Vulkan1");
    expect(withGpus?.notes).toHaveLength(2);
    const without = tableOf(exampleEntries(1).map((entry) => onGpus(entry, [])));
    expect(without?.columns.map(({ title }) => title)).not.toContain("GPU memory");
    expect(without?.notes).toHaveLength(1);
  });

  it("have intervals for as many rounds as a run has by default, and say why there are none for fewer", () => {
    const speed = (rounds: number) =>
      reportTables(summarize(exampleRecord(rounds))).find(({ title }) => title === "Speed");
    const ofTime = (rounds: number) =>
      speed(rounds)?.rows.map((row) => row[speed(rounds)?.columns.findIndex(({ title }) => title === "TTFT") ?? 0]);
    const why = expect.stringContaining("6 rounds or more give one");
    for (const cell of ofTime(defaultRounds) ?? []) expect(cell).toMatch(/ m?s \(.+ to .+ m?s\)$/);
    expect(speed(defaultRounds)?.notes).not.toContainEqual(why);
    for (const cell of ofTime(5) ?? []) expect(cell).not.toContain("(");
    expect(speed(5)?.notes).toContainEqual(why);
  });

  it("tell percentiles from as many samples as they need", () => {
    const titles = (rounds: number) =>
      reportTables(summarize(exampleRecord(rounds)))
        .find(({ title }) => title === "Percentiles")
        ?.columns.map(({ title }) => title)
        .filter((title) => title.startsWith("TTFT"));
    expect([titles(9), titles(10), titles(51), titles(250)]).toEqual([
      undefined,
      ["TTFT p50"],
      ["TTFT p50", "TTFT p95"],
      ["TTFT p50", "TTFT p95", "TTFT p99"],
    ]);
  });
});

describe("renderMarkdown", () => {
  /** `hotpath verify` compares texts of one version only: when this fails, raise `reportVersion` with the digest. */
  const recorded = { version: 3, digest: "a458ebbe4ed55c35" };

  it("has a new version when it has new text", () => {
    const digest = createHash("sha256")
      .update(renderMarkdown(summarize(exampleRecord())))
      .digest("hex")
      .slice(0, 16);
    expect({ version: reportVersion, digest }).toEqual(recorded);
  });

  it("makes tables of what is in the record, whatever that is", () => {
    const text = renderMarkdown(summarize(hostileRecord));
    expect(text).toContain('| \\<img src=x\\>\\| \\[31m\\`\\*\\_\\[a\\](b) # "\\& | dense |');
    expect(text).not.toMatch(/[^\\]<img/);
    expect(text).not.toContain("\u001b");
    const table = text
      .slice(text.indexOf("## Subjects"))
      .split("\n")
      .filter((line) => line.startsWith("|"));
    const cells = (line: string) => line.replaceAll(/\\./g, "").split("|").length;
    expect(new Set(table.slice(0, 5).map(cells)).size).toBe(1);
  });
});

describe("renderText", () => {
  it("sends no commands to the terminal", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(renderText(summarize(hostileRecord))).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it("shows speed, quality and differences", () => {
    const text = renderText(summarize(exampleRecord()));
    for (const part of [
      "Coder 7B, exact",
      "59.8 to 85.8 %",
      "E2E@25",
      "computed from 2 and 6 of 80 layers",
      "! Ollama failed",
    ])
      expect(text).toContain(part);
  });
});

describe("renderText in a narrow terminal", () => {
  const summary = summarize(exampleRecord());

  it("has no line that is wider, and says the same", () => {
    const words = (text: string) => new Set(text.split(/\s+/));
    const whole = words(renderText(summary));
    for (const width of [60, 80, 120]) {
      const text = renderText(summary, width);
      for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(width);
      const told = words(text);
      expect([...whole].filter((word) => !told.has(word))).toEqual([]);
    }
  });

  it("has columns one under the other where they do not fit beside each other", () => {
    expect(renderText(summary, 200)).toMatch(
      /\n {2}Subject +Keystrokes +Answered +Shown +Latency\n {2}Coder 7B, dense +28 /,
    );
    expect(renderText(summary, 60)).toMatch(/\n {2}Subject {5}Coder 7B, dense\n {2}Keystrokes {2}28\n/);
  });
});

describe("renderCsv", () => {
  it("has one row per generation with its figures and its score", () => {
    const record = exampleRecord(2);
    const rows = renderCsv(record).split("\r\n");
    expect(rows.at(-1)).toBe("");
    expect(rows).toHaveLength(1 + 1 + 20 + 80 + 24 + 1);
    const table = rows.slice(0, -1).map((row) => row.split(","));
    const [head = []] = table;
    const first = Object.fromEntries(head.map((name, index) => [name, table[2]?.[index]]));
    expect(first).toMatchObject({
      suite: "latency",
      subject: "coder-dense",
      warm_up: "false",
      tpot_ms: "100",
      e2e_25_ms: "2780",
    });
    const scored = table.find((row) => row[head.indexOf("task")] === "starter/4");
    expect(scored?.slice(-2)).toEqual(["false", "timeout"]);
  });

  it("quotes what has to be, and lets no text be a formula", () => {
    const tasks = ['a"b', "a,b", "a\nb", "=1+1", "+1", "-1", "@x", "plain"];
    const record = recordOf([exampleRun, ...tasks.map((task, repetition) => exampleOutput({ task, repetition }))]);
    const csv = renderCsv(record);
    for (const cell of ['"a""b"', '"a,b"', '"a\nb"', `"'=1+1"`, `"'+1"`, `"'-1"`, `"'@x"`, "plain"])
      expect(csv).toContain(`,coder-dense,${cell},`);
  });
});
