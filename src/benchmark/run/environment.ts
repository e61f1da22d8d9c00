// Where and with what a run is made.
import { readFile } from "node:fs/promises";
import os from "node:os";
import { powerSource } from "../../common/battery.ts";
import { isCancelled } from "../../common/errors.ts";
import { productVersion } from "../../common/productVersion.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Caution, Environment } from "../record/entries.ts";

/** Without an engine that answers, what only it knows is null. Measures the memory when that has not been done here. */
export async function gatherEnvironment(engine: Engine, signal: AbortSignal): Promise<Environment> {
  const unknown = (error: unknown) => {
    if (isCancelled(error)) throw error;
    return null; // Subjects that need the engine tell why it does not answer.
  };
  const diagnostics = await engine.diagnostics(signal).catch(unknown);
  const measured = diagnostics && (await engine.measure({ fresh: false }, signal).catch(unknown));
  const driver = await nvidiaDriver();
  const gpus = diagnostics?.devices.filter(({ kind }) => kind === "gpu") ?? [];
  return {
    productVersion,
    nodeVersion: process.versions.node,
    os: `${os.type()} ${os.release()}`,
    arch: process.arch,
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    logicalCores: os.cpus().length,
    memoryBytes: os.totalmem(),
    gpus: gpus.map(({ description, memoryBytes }) => ({
      name: description,
      memoryBytes,
      driver: /nvidia|geforce|tesla|quadro/i.test(description) ? driver : null,
    })),
    power: await powerSource(),
    governor: await firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    llamaVersion: diagnostics?.libraries.llamaVersion ?? null,
    cpuVariant: diagnostics?.libraries.cpuVariant ?? null,
    memoryBandwidth: measured ? Math.max(...measured.measurement.cpu.map(({ streamGBps }) => streamGBps)) * 1e9 : null,
  };
}

/** What of a machine's state makes its figures worth less. */
export function cautionsAbout(environment: Environment, load = os.loadavg()[0] ?? 0): Caution[] {
  const cautions: Caution[] = [];
  if (environment.power === "battery")
    cautions.push({
      code: "battery",
      message: "The machine runs on battery; it may be slower than on mains.",
      advice: "Plug it in and run again.",
    });
  if (environment.governor === "powersave")
    cautions.push({
      code: "governor",
      message: 'The frequency of the processor is governed by "powersave".',
      advice: "Choose the performance profile of the system.",
    });
  // Two on an idle machine are the run itself and whoever started it.
  if (load > Math.max(1, environment.logicalCores / 4))
    cautions.push({
      code: "busy",
      message: `Other programs run: the load of the last minute was ${load.toFixed(1)} on ${environment.logicalCores} processors.`,
      advice: "End them, wait a minute, and run again.",
    });
  return cautions;
}

/** The facts in which the machine of a resumed run is not what it was. */
export function differences(before: Environment, now: Environment): string[] {
  const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  // Measured, and so never quite the same.
  const names = (Object.keys(now) as (keyof Environment)[]).filter((name) => name !== "memoryBandwidth");
  return names
    .filter((name) => show(before[name]) !== show(now[name]))
    .map((name) => `${name}: ${show(before[name])}, now ${show(now[name])}`);
}

async function nvidiaDriver(): Promise<string | null> {
  const line = await firstLine("/proc/driver/nvidia/version");
  return /\s(\d+\.\d+(?:\.\d+)?)\s/.exec(line ?? "")?.[1] ?? null;
}

async function firstLine(file: string): Promise<string | null> {
  const text = await readFile(file, "utf8").catch(() => null); // Not on this system.
  return text?.split("\n")[0]?.trim() || null;
}
