// What was measured of this machine, kept in a file until processor, GPUs or libraries change.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Logger } from "../common/logger.ts";
import type { MeasureAnswer } from "../protocol/planning.ts";
import type { Addon } from "./addon.ts";

const fileVersion = 2;

interface MeasurementFile extends MeasureAnswer {
  readonly version: number;
}

export interface MeasurementsOptions {
  readonly addon: Pick<Addon, "measure" | "devices">;
  readonly llamaVersion: string;
  readonly file: string;
  readonly logger: Logger;
  readonly now: () => Date;
}

export class Measurements {
  readonly #options: MeasurementsOptions;
  /** Two measurements at a time would disturb each other. */
  #running: Promise<MeasureAnswer> | undefined;
  #known: MeasureAnswer | undefined;

  constructor(options: MeasurementsOptions) {
    this.#options = options;
  }

  /** What is known, measured when nothing is. Not cancelled with its caller: others may wait, and it takes seconds. */
  get(): Promise<MeasureAnswer> {
    const known = this.known();
    return known ? Promise.resolve(known) : this.measure();
  }

  /** What was measured of the machine as it is now, if anything was. */
  known(): MeasureAnswer | undefined {
    const known = this.#known ?? readMeasurement(this.#options.file);
    return known?.machine === this.#machine() ? known : undefined;
  }

  measure(): Promise<MeasureAnswer> {
    this.#running ??= this.#measure().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #measure(): Promise<MeasureAnswer> {
    const { addon, now, file, logger } = this.#options;
    const measurement = await addon.measure().result;
    const answer = { machine: this.#machine(), measuredAt: now().toISOString(), measurement };
    this.#known = answer;
    try {
      writeMeasurement(file, { version: fileVersion, ...answer });
    } catch (error) {
      logger.warn(`the measurement is not kept: ${(error as Error).message}`);
    }
    return answer;
  }

  #machine(): string {
    const { addon, llamaVersion } = this.#options;
    const devices = addon.devices().map(({ name, description }) => `${name} ${description}`);
    return [...devices, `llama.cpp ${llamaVersion}`].join("; ");
  }
}

/** Any file gives a measurement of this version or nothing. */
export function readMeasurement(file: string): MeasureAnswer | undefined {
  let value: Partial<MeasurementFile> | null;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined; // Not there yet, or damaged: it is measured anew.
  }
  const rates = value?.measurement?.rates;
  const numbers = [rates?.cpuStreamGBps, rates?.cpuGather2kGBps, rates?.cpuGather4kGBps];
  const gpu = [rates?.gpuGBps, rates?.gpuLayerUs, rates?.exchangeUs];
  const isWhole =
    value?.version === fileVersion &&
    typeof value.machine === "string" &&
    typeof value.measuredAt === "string" &&
    Array.isArray(value.measurement?.cpu) &&
    Array.isArray(value.measurement?.gpus) &&
    numbers.every((number) => Number.isFinite(number) && (number as number) > 0) &&
    gpu.every((number) => Number.isFinite(number) && (number as number) >= 0);
  if (!isWhole) return undefined;
  const { machine, measuredAt, measurement } = value as MeasurementFile;
  return { machine, measuredAt, measurement };
}

function writeMeasurement(file: string, content: MeasurementFile): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(content, null, 2));
  renameSync(temporary, file);
}
