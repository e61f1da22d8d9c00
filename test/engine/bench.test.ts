import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OutputEntry, RecordEntry } from "../../src/benchmark/record/entries.ts";
import { type EngineSandbox, engineSandbox, starter, until } from "../support/engineSandbox.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";

// One engine for all: it measures the machine once.
let sandbox: EngineSandbox;
let data: string;
let out: string;
beforeAll(() => {
  data = mkdtempSync(path.join(os.tmpdir(), "hp-"));
  sandbox = engineSandbox({ HOTPATH_DATA_DIR: data, HOTPATH_LINGER_MS: "10000" });
});
afterAll(async () => {
  await sandbox.end();
  rmSync(data, { recursive: true, force: true });
});
beforeEach(() => {
  out = path.join(temporaryFolder(), "run");
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const cli = path.join(root, "dist", "cli.js");
  // A run that is resumed knows its device and threads.
  const machine = args.includes("--resume") ? [] : ["--device", "cpu", "--threads", "1"];
  const child = spawn(process.execPath, [cli, "bench", "--out", out, ...machine, ...args], { env: sandbox.env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  return { child, ended };
}

/** Whole lines of the record. */
function entries(): RecordEntry[] {
  const file = path.join(out, "record.jsonl");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

const measured = (all: readonly RecordEntry[]): OutputEntry[] =>
  all.filter((entry): entry is OutputEntry => entry.type === "output" && !entry.isWarmUp);
const turn = ({ task, repetition, subject }: OutputEntry) => `${task} ${repetition} ${subject.replace(/.*-/, "")}`;

// Two of the prompts, the shorter ones in effect: prompt-64 and prompt-512.
const latency = ["--suite", "latency", "--limit", "2", "--mode", "dense,exact"];

describe("hotpath bench", () => {
  it("measures two modes of a model in turn, and prints what it found as JSON", async () => {
    const { code, stdout, stderr } = await start(...latency, "--repetitions", "2", "--json").ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ status: "complete", folder: out, failures: [] });
    expect(report.summary.subjects.map(({ label }: { label: string }) => label)).toEqual([
      "starter-nano-q8_0 (dense)",
      "starter-nano-q8_0 (exact)",
    ]);
    const outputs = measured(entries());
    expect(outputs.map(turn)).toEqual(
      [0, 1].flatMap((round) =>
        ["prompt-64", "prompt-512"].flatMap((task) => [`${task} ${round} dense`, `${task} ${round} exact`]),
      ),
    );
    for (const output of outputs) {
      expect(output).toMatchObject({ stopReason: "tokens", generatedTokens: 100, text: null, overlaps: 0 });
      expect(output.tokenTimes).toHaveLength(100);
      expect(output.ttftMs).toBeGreaterThan(0);
      expect(output.totalMs * 10).toBeGreaterThan(output.tokenTimes?.at(-1) ?? Number.POSITIVE_INFINITY);
      expect(output.activeShare === null).toBe(output.subject.endsWith("dense"));
    }
  });

  it("completes a record whose writer was killed, and measures nothing twice", async () => {
    const args = [...latency, "--repetitions", "4"];
    const { child, ended } = start(...args);
    await until(() => measured(entries()).length >= 3, 15_000);
    child.kill("SIGKILL");
    await ended;
    const before = measured(entries()).length;
    expect(before).toBeLessThan(16);
    const [run] = entries();
    const id = run?.type === "run" ? run.runId : "";
    const resumed = await start("--resume", id, "--json").ended;
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(resumed.stdout)).toMatchObject({ runId: id, status: "complete" });
    const turns = measured(entries()).map(turn);
    expect(turns).toHaveLength(16);
    expect(new Set(turns).size).toBe(16);
    expect(entries().filter(({ type }) => type === "resume")).toHaveLength(1);
  });

  it("runs alone: another is told what goes on, measures nothing, and starts when that has ended", async () => {
    const first = start(...latency, "--repetitions", "50");
    await until(() => measured(entries()).length >= 1, 15_000);
    const beside = path.join(temporaryFolder(), "run");
    const second = await start("--suite", "latency", "--limit", "1", "--out", beside).ended;
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr).toContain(
      `a benchmark is running or being verified in another window or a terminal (process ${first.child.pid})`,
    );
    expect(existsSync(beside)).toBe(false);
    first.child.kill("SIGKILL");
    await first.ended;
    const third = start("--suite", "latency", "--limit", "1", "--repetitions", "1", "--out", beside);
    expect((await third.ended).code).toBe(0);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "ends at %s with a record, and says how to go on",
    async (signal) => {
      const { child, ended } = start(
        ...latency,
        "--repetitions",
        "50",
        "--allow-code",
        "--dataset",
        "humaneval=a file",
      );
      await until(() => measured(entries()).length >= 2, 15_000);
      child.kill(signal);
      const { code, stdout } = await ended;
      expect(code).toBe(130);
      const file = path.resolve("a file");
      expect(stdout).toMatch(/Go on with it: hotpath bench --resume \d{8}-\d{6}-[0-9a-f]{6} --allow-code/);
      expect(stdout).toContain(` --allow-code --dataset 'humaneval=${file}' --out ${out}\n`);
      expect(entries().at(-1)).toMatchObject({ type: "end", status: "cancelled" });
    },
  );

  it("resumes the run that it was asked for and no other, and says where there is none", async () => {
    const none = await start("--resume", "20260101-000000-abcdef").ended;
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toContain(
      `there is no record ${path.join(out, "record.jsonl")}; "hotpath report --list" names`,
    );
    await start("--suite", "latency", "--limit", "1", "--repetitions", "1").ended;
    const { stderr } = await start("--resume", "20260101-000000-abcdef").ended;
    expect(stderr).toMatch(/record\.jsonl is the record of run [\w-]+, not of 20260101-000000-abcdef/);
    const again = await start("--suite", "latency", "--limit", "1", "--repetitions", "1").ended;
    expect(again.stderr).toContain(`${out}: there is something already; choose another folder`);
  });

  it("measures shapes without a file of anybody's, and deletes what it wrote", async () => {
    const { code, stdout } = await start("--shapes", "tiny", "--repetitions", "1", "--limit", "1", "--json").ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout).summary.subjects).toHaveLength(2);
    expect(measured(entries()).map(({ subject }) => subject)).toEqual(["tiny-q4-0-dense", "tiny-q4-0-exact"]);
    expect(readdirSync(path.join(data, "benchmarks", "synthetic"))).toEqual([]);
  });

  it("goes on with the others, and exits with 1, when a server is not there", async () => {
    const model = ["--model", starter.path, "--server", "http://127.0.0.1:9"];
    const { code, stdout } = await start(...model, "--suite", "latency", "--limit", "1", "--repetitions", "1").ended;
    expect(code).toBe(1);
    expect(stdout).toContain("http://127.0.0.1:9/v1/models is not there (ECONNREFUSED)");
    expect(measured(entries())).toHaveLength(1);
  });

  it("refuses to run what models write unless that is allowed", async () => {
    const { code, stdout } = await start("--suite", "starter", "--limit", "2").ended;
    expect(code).toBe(1);
    expect(stdout).toContain("which was not allowed (in a terminal: --allow-code)");
    expect(measured(entries())).toEqual([]);
  });
});
