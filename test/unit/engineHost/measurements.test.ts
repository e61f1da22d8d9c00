import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/common/logger.ts";
import { Measurements, readMeasurement } from "../../../src/engineHost/measurements.ts";
import type { MachineMeasurement } from "../../../src/protocol/planning.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

const measurement: MachineMeasurement = {
  cpu: [{ threads: 1, streamGBps: 10, gather2kGBps: 7, gather4kGBps: 9 }],
  gpus: [],
  rates: {
    cpuStreamGBps: 10,
    cpuGather2kGBps: 7,
    cpuGather4kGBps: 9,
    gpuGBps: 0,
    gpuLayerUs: 0,
    exchangeUs: 0,
  },
};

let file: string;
let measured: number;
beforeEach(() => {
  file = path.join(temporaryFolder(), "data", "measurement.json");
  measured = 0;
});

function measurements(cpu = "Xeon", llamaVersion = "v0.4.0"): Measurements {
  const addon = {
    devices: () => [{ name: "CPU", description: cpu, kind: "cpu" as const, memoryBytes: 1, freeBytes: 1 }],
    measure: () => {
      measured++;
      return { result: Promise.resolve(measurement), cancel: () => {} };
    },
  };
  return new Measurements({ addon, llamaVersion, file, logger: silentLogger, now: () => new Date(0) });
}

describe("Measurements", () => {
  it("measures when nothing is known, once for all who ask", async () => {
    const machine = measurements();
    const [a, b] = await Promise.all([machine.get(), machine.get()]);
    expect(a).toEqual({ machine: "CPU Xeon; llama.cpp v0.4.0", measuredAt: "1970-01-01T00:00:00.000Z", measurement });
    expect([b, await machine.get(), measured]).toEqual([a, a, 1]);
  });

  it("takes what an earlier engine kept", async () => {
    const first = await measurements().get();
    expect(await measurements().get()).toEqual(first);
    expect(measured).toBe(1);
  });

  it("tells what is known without measuring", async () => {
    expect(measurements().known()).toBeUndefined();
    const first = await measurements().get();
    expect(measurements().known()).toEqual(first);
    expect(measurements("Ryzen").known()).toBeUndefined();
    expect(measured).toBe(1);
  });

  it.each([
    ["another processor", () => measurements("Ryzen")],
    ["other libraries", () => measurements("Xeon", "v0.5.0")],
  ])("measures anew for %s", async (_, other) => {
    await measurements().get();
    await other().get();
    expect(measured).toBe(2);
  });

  it("measures anew when asked to", async () => {
    await measurements().get();
    await measurements().measure();
    expect(measured).toBe(2);
  });

  it("answers when it cannot keep it", async () => {
    writeFileSync(path.dirname(file), "a file where the folder should be");
    expect((await measurements().get()).measurement).toEqual(measurement);
  });
});

describe("readMeasurement", () => {
  it("refuses every damage", async () => {
    await measurements().get();
    const whole = readFileSync(file, "utf8");
    expect(readMeasurement(file)).toBeDefined();
    const damages = [
      "",
      "null",
      "[]",
      whole.slice(0, -5),
      whole.replace('"version": 2', '"version": 1'), // measured by a reader that was not as fast as the machine
      whole.replace('"cpuStreamGBps": 10', '"cpuStreamGBps": 0'),
      whole.replace('"gpuGBps": 0', '"gpuGBps": null'),
      whole.replace('"gpus": []', '"gpus": {}'),
    ];
    for (const damaged of damages) {
      writeFileSync(file, damaged);
      expect(readMeasurement(file), damaged.slice(0, 60)).toBeUndefined();
    }
  });
});
