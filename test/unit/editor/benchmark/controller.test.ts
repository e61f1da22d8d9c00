import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DatasetStore } from "../../../../src/benchmark/datasets/datasetStore.ts";
import { nothingLeft } from "../../../../src/benchmark/record/resume.ts";
import { runFolder } from "../../../../src/benchmark/record/runs.ts";
import type { RunPlan } from "../../../../src/benchmark/run/plan.ts";
import { AppError } from "../../../../src/common/errors.ts";
import { BenchmarkController, type EndedRun, type Memory } from "../../../../src/editor/benchmark/controller.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { type Answer, events, inPieces, json, scriptedServer } from "../../../support/scriptedServer.ts";
import { root } from "../../../support/sources.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

beforeEach(() => void vi.stubEnv("HOTPATH_DATA_DIR", temporaryFolder()));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const text = events([{ choices: [{ text: "x", finish_reason: "length" }] }, "[DONE]"]);

/** What the editor keeps, for as long as the test lasts. */
function keptMemory(): Memory {
  const kept = new Map<string, string>();
  return {
    get: (key) => kept.get(key),
    update: async (key, value) => void (value === undefined ? kept.delete(key) : kept.set(key, value)),
  };
}

/** A run of one server, whose engine is not there: only what needs none is measured. */
async function benchmark({
  stream = inPieces([text]),
  memory = keptMemory(),
}: {
  stream?: Answer;
  memory?: Memory;
} = {}) {
  const server = await scriptedServer({
    "/v1/models": json({ data: [{ id: "coder", owned_by: "vllm" }] }),
    "/v1/completions": stream,
  });
  const gone = async () => {
    throw new AppError("engine/start-failed", "there is no engine in this test");
  };
  const held = { now: 0, times: 0 };
  const holdCompletions = () => {
    held.now++;
    held.times++;
    return { dispose: () => void held.now-- };
  };
  const controller = new BenchmarkController({
    engine: { diagnostics: gone, measure: gone } as unknown as Engine,
    productFolder: root,
    datasets: new DatasetStore({ folder: temporaryFolder() }),
    sandbox: () => ({ consent: "full", create: gone }),
    holdCompletions,
    memory,
  });
  const ended = new Promise<EndedRun>((resolve) => controller.onDidEnd(resolve));
  const subject = { kind: "server", id: "s", label: "S", api: "openai", url: server.url, model: null } as const;
  const latency = { id: "latency", limit: 2, repetitions: 2, temperature: 0, topP: 1, seed: 1 } as const;
  const plan: RunPlan = { subjects: [subject], suites: [latency], completions: "ahead" };
  return { controller, ended, plan, server, held, memory };
}

const neverEnds: Answer = (_, reply) => void reply.writeHead(200).write("data: {}\n\n");

describe("the benchmark of a window", () => {
  it("runs, shows how far it is, and leaves a record", async () => {
    const { controller, ended, plan } = await benchmark();
    const steps: string[] = [];
    let entries = 0;
    controller.onDidChange(() => {
      if (controller.live) steps.push(`${controller.live.done}/${controller.live.total}`);
    });
    controller.onDidRecord(() => entries++);
    await controller.start(plan, "none");
    expect(controller.live).toMatchObject({ phase: "preparing", isPaused: false, completions: "ahead" });
    const { runId, outcome, error } = await ended;
    expect(error).toBeNull();
    expect(outcome?.status).toBe("complete");
    expect(controller.live).toBeNull();
    expect(steps.at(-1)).toMatch(/^4\/4$/);
    const record = await controller.record(runId);
    expect(record.entries).toHaveLength(entries);
    expect(await controller.runs()).toMatchObject([{ runId, state: "complete", what: "S: latency" }]);
  });

  it("lists a run that has written nothing yet, and has no record of it", async () => {
    const { controller, plan, ended } = await benchmark({ stream: neverEnds });
    await controller.start(plan, "none");
    const runId = controller.live?.runId ?? "";
    expect(controller.unwritten).toMatchObject({ runId });
    expect(await controller.runs()).toMatchObject([{ runId, state: "running", what: "S: latency" }]);
    await expect(controller.record(runId)).rejects.toMatchObject({ code: "request/invalid" });
    await vi.waitFor(() => expect(controller.unwritten).toBeNull());
    expect(await controller.runs()).toHaveLength(1);
    controller.cancel();
    await ended;
  });

  it("gives the record of the run under way", async () => {
    const { controller, plan, server, ended } = await benchmark({ stream: neverEnds });
    await controller.start(plan, "none");
    await vi.waitFor(() => expect(server.seen.at(-1)?.path).toBe("/v1/completions"));
    const runId = controller.live?.runId ?? "";
    const record = await controller.record(runId);
    expect(record.entries.map(({ type }) => type)).toEqual(expect.arrayContaining(["run", "subject", "suite"]));
    controller.cancel();
    await ended;
  });

  it("refuses a second run while one goes on", async () => {
    const { controller, plan, ended } = await benchmark({ stream: neverEnds });
    await controller.start(plan, "none");
    await expect(controller.start(plan, "none")).rejects.toThrow("a benchmark is running");
    controller.cancel();
    expect((await ended).outcome?.status ?? "cancelled before its record was begun").toMatch(/^cancelled/);
  });

  it("says that it is paused, and what it waits for", async () => {
    const { controller, plan, ended } = await benchmark({ stream: neverEnds });
    await controller.start(plan, "none");
    controller.pause();
    expect(controller.live?.isPaused).toBe(true);
    controller.waitFor("Open the benchmark panel to go on");
    expect(controller.live?.what).toBe("Open the benchmark panel to go on");
    controller.continue();
    expect(controller.live?.isPaused).toBe(false);
    controller.cancel();
    await ended;
  });

  it("keeps completions back while it runs, when that was asked for", async () => {
    const { controller, plan, held, ended } = await benchmark();
    await controller.start({ ...plan, completions: "paused" }, "none");
    expect(held.now).toBe(1);
    expect((await ended).outcome?.status).toBe("complete");
    expect(held).toEqual({ now: 0, times: 1 });
  });

  it("lets completions come while the user pauses it, and keeps them back again when it goes on", async () => {
    const { controller, plan, held, ended } = await benchmark({ stream: neverEnds });
    await controller.start({ ...plan, completions: "paused" }, "none");
    controller.pause();
    controller.pause();
    expect(held.now).toBe(0);
    controller.continue();
    expect(held.now).toBe(1);
    controller.pause();
    controller.cancel();
    await ended;
    expect(held).toEqual({ now: 0, times: 2 });
  });

  it("lets completions come beside it, when that was asked for", async () => {
    const { controller, plan, held, ended } = await benchmark();
    await controller.start(plan, "none");
    controller.pause();
    controller.continue();
    await ended;
    expect(held.times).toBe(0);
  });

  it("is found again when its window ended before it, and then completes", async () => {
    const memory = keptMemory();
    let answer = neverEnds;
    const first = await benchmark({ stream: (request, reply) => answer(request, reply), memory });
    await first.controller.start(first.plan, "none");
    await vi.waitFor(() => expect(first.server.seen.at(-1)?.path).toBe("/v1/completions"));
    const runId = first.controller.live?.runId ?? "";
    expect(await first.controller.interrupted()).toBeNull();
    first.controller.dispose();
    await first.ended;

    const second = await benchmark({ memory });
    expect(await second.controller.interrupted()).toBe(runId);
    const { plan } = (await second.controller.record(runId)).run;
    const suites = first.plan.suites.map((choice) => ({ ...choice, seed: expect.any(Number) }));
    expect(plan).toEqual({ ...first.plan, suites });
    answer = inPieces([text]);
    await second.controller.resume(runId, "none");
    expect(await second.ended).toMatchObject({ runId, outcome: { status: "complete" } });
    expect(await second.controller.interrupted()).toBeNull();
  });

  it("refuses to run beside a run of another window, which is not offered to be gone on with", async () => {
    const { controller, plan, ended } = await benchmark();
    await controller.start(plan, "none");
    const { runId } = await ended;
    // As if it went on there.
    const locks = [path.join(runFolder(runId), "record.lock"), path.join(runFolder(runId), "..", "running.lock")];
    for (const lock of locks) await writeFile(lock, String(process.ppid));
    expect(await controller.runs()).toMatchObject([{ runId, state: "running" }]);
    const refused = { code: "request/invalid", message: expect.stringContaining(`(process ${process.ppid})`) };
    await expect(controller.start(plan, "none")).rejects.toMatchObject(refused);
    await expect(controller.resume(runId, "none")).rejects.toMatchObject(refused);
    expect(await controller.interrupted()).toBeNull();
    expect(controller.live).toBeNull();
  });

  it("runs alone though two windows start in the same moment, and tells the other why it does not", async () => {
    const windows = [await benchmark(), await benchmark()];
    await Promise.all(windows.map(({ controller, plan }) => controller.start(plan, "none")));
    const ended = await Promise.all(windows.map((window) => window.ended));
    expect(ended.map(({ outcome }) => outcome?.status)).toEqual(["complete", undefined]);
    expect(ended[1]?.error).toMatchObject({
      code: "request/invalid",
      message: expect.stringContaining("a benchmark is running or being verified in another window or a terminal"),
    });
    expect(windows[1]?.server.seen).toEqual([]);
    const [, second] = windows;
    await second?.controller.start(second.plan, "none");
    await vi.waitFor(() => expect(second?.controller.live).toBeNull());
    expect(await second?.controller.runs()).toMatchObject([{ state: "complete" }, { state: "complete" }]);
  });

  it("lists what is left of a run that is complete, and completes it when it is resumed", async () => {
    let answer: Answer = (_, reply) => void reply.writeHead(400).end("no");
    const { controller, plan, ended } = await benchmark({ stream: (request, reply) => answer(request, reply) });
    await controller.start(plan, "none");
    const { runId } = await ended;
    expect(await controller.runs()).toMatchObject([
      { runId, state: "complete", left: { failures: 3, unscored: 0 }, suites: ["latency"] },
    ]);
    answer = inPieces([text]);
    await controller.resume(runId, "none");
    await vi.waitFor(() => expect(controller.live).toBeNull());
    expect(await controller.runs()).toMatchObject([{ runId, state: "complete", left: nothingLeft }]);
  });

  it("finds a run that was cut off by its record alone, and only the newest", async () => {
    const memory = keptMemory();
    const { controller, plan, ended } = await benchmark({ memory });
    await controller.start(plan, "none");
    const { runId } = await ended;
    const record = path.join(runFolder(runId), "record.jsonl");
    const lines = (await readFile(record, "utf8")).split("\n");
    await writeFile(record, `${lines.slice(0, -2).join("\n")}\n`); // Without its end.
    const other = await benchmark();
    expect(await other.controller.interrupted()).toBe(runId);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5000 }); // Ids of runs count seconds.
    await other.controller.start(other.plan, "none");
    await other.ended;
    expect(await other.controller.interrupted()).toBeNull();
  });

  it("is not offered again when the user cancelled it", async () => {
    const { controller, plan, ended, server } = await benchmark({ stream: neverEnds });
    await controller.start(plan, "none");
    await vi.waitFor(() => expect(server.seen.at(-1)?.path).toBe("/v1/completions"));
    controller.cancel();
    await ended;
    expect(await controller.interrupted()).toBeNull();
  });

  it("tells why it did not even begin", async () => {
    const { controller, plan, ended } = await benchmark();
    const occupied = temporaryFolder();
    vi.stubEnv("HOTPATH_DATA_DIR", `${occupied}/file`);
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${occupied}/file`, "");
    await controller.start(plan, "none");
    expect((await ended).error?.code).toBe("file/unwritable");
    expect(() => runFolder("../../etc")).toThrow("is not the id of a benchmark run");
  });
});
