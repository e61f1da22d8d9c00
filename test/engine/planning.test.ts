// Measuring, profiling and planning through the real engine process.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProfileProgress } from "../../src/protocol/planning.ts";
import { type EngineSandbox, engineSandbox, starter } from "../support/engineSandbox.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";

let sandbox: EngineSandbox;
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  sandbox = engineSandbox({ HOTPATH_DATA_DIR: folder });
});
afterEach(() => sandbox.end());

const sample = path.join(root, "media", "sample", "rectangle.py");
const rates = {
  cpuStreamGBps: 60,
  cpuGather2kGBps: 45,
  cpuGather4kGBps: 55,
  gpuGBps: 0,
  gpuLayerUs: 0,
  exchangeUs: 0,
};
const planOfStarter = {
  path: starter.path,
  mode: "auto",
  vramBytes: 0,
  ramBytes: 0,
  contextLength: 0,
  rates,
  gpu: null,
} as const;

describe("profile", () => {
  it("counts, is read again, and adds up", async () => {
    const engine = sandbox.client();
    const out = path.join(folder, "a.profile");
    const steps: ProfileProgress[] = [];
    const made = await engine.profile({ model: starter, files: [sample], out }, (step) => steps.push(step));
    const tokens = made.layers[0]?.tokens;
    expect(made).toMatchObject({ modelName: "starter-nano", layers: { length: 4 } });
    expect(steps.at(-1)).toEqual({ tokens, totalTokens: tokens });
    expect(made.layers[0]?.curve.at(-1)).toBe(1);
    expect(await engine.readProfile(out)).toEqual(made);
    const sum = await engine.mergeProfiles([out, out], path.join(folder, "sum.profile"));
    expect(sum.layers[0]).toEqual({ ...made.layers[0], tokens: 2 * (tokens ?? 0) });
  });

  it("is not written when it is cancelled", async () => {
    const text = path.join(folder, "long.py");
    writeFileSync(text, readFileSync(sample, "utf8").repeat(200));
    const out = path.join(folder, "never.profile");
    const abort = new AbortController();
    const profiling = sandbox
      .client()
      .profile({ model: starter, files: [text], out }, () => abort.abort(), abort.signal);
    await expect(profiling).rejects.toMatchObject({ code: "request/cancelled" });
    expect(existsSync(out)).toBe(false);
  });

  it("says what is wrong with its files", async () => {
    const engine = sandbox.client();
    const nowhere = path.join(folder, "no folder", "p");
    await expect(engine.readProfile(sample)).rejects.toMatchObject({ code: "file/unreadable" });
    await expect(engine.profile({ model: starter, files: [sample], out: nowhere }, () => {})).rejects.toMatchObject({
      code: "file/unwritable",
    });
    await expect(engine.mergeProfiles([], nowhere)).rejects.toMatchObject({ code: "request/invalid" });
  });
});

describe("plan", () => {
  it("reads only what is active, by the profile", async () => {
    const engine = sandbox.client();
    const profile = path.join(folder, "a.profile");
    await engine.profile({ model: starter, files: [sample], out: profile }, () => {});
    const plan = await engine.plan({ ...planOfStarter, profile });
    expect(plan).toMatchObject({ mode: "exact", isStock: false, notes: [], vramUsedBytes: 0, rates });
    expect(plan.layers[0]).toMatchObject({ attention: "cpu", ffn: "split", kind: "ReLU", hotCount: 0 });
    expect(plan.tokensPerSecond).toBeGreaterThan(plan.stockTokensPerSecond);
  });

  it("counts the memory of as many documents as would be kept", async () => {
    const engine = sandbox.client();
    const [much, little] = await Promise.all(
      [8e9, 1e6].map((ramBytes) => engine.plan({ ...planOfStarter, ramBytes, profile: "" })),
    );
    const { kvBytes } = await engine.load(starter);
    expect([much?.sequenceCount, little?.sequenceCount]).toEqual([4, 1]);
    expect((much?.ramNeededBytes ?? 0) - (little?.ramNeededBytes ?? 0)).toBe((kvBytes / 4) * 3);
  });

  it("leaves a model that fits on the GPU to llama.cpp", async () => {
    const gpu = { gpuGBps: 300, gpuLayerUs: 20, exchangeUs: 25 };
    const engine = sandbox.client();
    const plan = await engine.plan({ ...planOfStarter, vramBytes: 8e9, gpu, profile: "" });
    expect(plan).toMatchObject({ isStock: true, headOnGpu: true, rates: { ...rates, ...gpu } });
    expect(plan.layers.every(({ attention, ffn }) => attention === "gpu" && ffn === "gpu")).toBe(true);
  });

  it("refuses what does not suit the model", async () => {
    const engine = sandbox.client();
    const asked = { ...planOfStarter, profile: "" };
    await expect(engine.plan({ ...asked, mode: "predicted" })).rejects.toMatchObject({ code: "request/invalid" });
    await expect(engine.plan({ ...asked, profile: sample })).rejects.toMatchObject({ code: "file/unreadable" });
    await expect(engine.plan({ ...asked, path: sample })).rejects.toMatchObject({ code: "model/not-gguf" });
  });
});

describe("measure", () => {
  it("measures once and keeps it for the next engine", async () => {
    const first = await sandbox.client().measure({ fresh: false });
    expect(first.measurement.rates.cpuStreamGBps).toBeGreaterThan(0.1);
    expect(first.measurement.cpu[0]).toMatchObject({ threads: 1 });
    expect(JSON.parse(readFileSync(path.join(folder, "measurement.json"), "utf8"))).toMatchObject(first);
    await sandbox.client().restart();
    expect(await sandbox.client().measure({ fresh: false })).toEqual(first);
  });
});
