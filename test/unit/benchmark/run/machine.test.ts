import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openEnergyMeter } from "../../../../src/benchmark/run/energy.ts";
import { cautionsAbout, differences, gatherEnvironment } from "../../../../src/benchmark/run/environment.ts";
import { AppError } from "../../../../src/common/errors.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { environment } from "../../../support/benchmarkRun.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

/** Counters as Linux shows them, in microjoules. */
function powercap(counters: Record<string, number>, range = 1e9): string {
  const folder = temporaryFolder();
  for (const [name, microjoules] of Object.entries(counters)) {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, "energy_uj"), `${microjoules}\n`);
    writeFileSync(path.join(folder, name, "max_energy_range_uj"), `${range}\n`);
  }
  return folder;
}

describe("the energy meter", () => {
  it("adds up the packages, not the parts of them", async () => {
    const folder = powercap({
      "intel-rapl:0": 2e6,
      "intel-rapl:1": 3e6,
      "intel-rapl:0:0": 9e6,
      "intel-rapl-mmio:0": 9e6,
    });
    expect(await (await openEnergyMeter(folder))?.read()).toBe(5);
  });

  it("goes on where a counter begins anew", async () => {
    const folder = powercap({ "intel-rapl:0": 999e6 });
    const meter = await openEnergyMeter(folder);
    const before = (await meter?.read()) ?? Number.NaN;
    writeFileSync(path.join(folder, "intel-rapl:0", "energy_uj"), "1000000\n");
    expect(((await meter?.read()) ?? Number.NaN) - before).toBe(2);
  });

  it("is none where nothing is counted", async () => {
    expect(await openEnergyMeter(temporaryFolder())).toBeNull();
    expect(await openEnergyMeter("nowhere")).toBeNull();
  });
});

describe("the environment", () => {
  const never = new AbortController().signal;

  it("is known but for the engine's part where the engine does not start", async () => {
    const engine = {
      diagnostics: () => Promise.reject(new AppError("engine/start-failed", "no")),
    } as unknown as Engine;
    expect(await gatherEnvironment(engine, never)).toMatchObject({
      nodeVersion: process.versions.node,
      arch: process.arch,
      memoryBytes: expect.any(Number),
      gpus: [],
      llamaVersion: null,
      memoryBandwidth: null,
    });
  });

  it("is not gathered when that is cancelled", async () => {
    const engine = { diagnostics: () => Promise.reject(new AppError("request/cancelled", "no")) } as unknown as Engine;
    await expect(gatherEnvironment(engine, never)).rejects.toMatchObject({ code: "request/cancelled" });
  });

  it("is cautioned about where the machine is not at its best", () => {
    const codes = (changes: object, load = 0) =>
      cautionsAbout({ ...environment, ...changes }, load).map(({ code }) => code);
    expect(codes({})).toEqual([]);
    expect(codes({ power: "battery" })).toEqual(["battery"]);
    expect(codes({ power: null, governor: "powersave" })).toEqual(["governor"]);
    expect(codes({ logicalCores: 16 }, 5)).toEqual(["busy"]);
    expect(codes({ logicalCores: 2 }, 0.9)).toEqual([]);
  });

  it("differs by facts, not by what is measured anew", () => {
    const other = { ...environment, memoryBandwidth: 1, gpus: [{ name: "a card", memoryBytes: 8e9, driver: null }] };
    expect(differences(environment, other)).toEqual([
      'gpus: [], now [{"name":"a card","memoryBytes":8000000000,"driver":null}]',
    ]);
  });
});
