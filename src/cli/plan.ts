// Where each part of a model would go on this machine, or on one with another GPU, and how fast it would run.
import os from "node:os";
import path from "node:path";
import { starterModelPath } from "../models/starterModel.ts";
import { modeChoices } from "../protocol/model.ts";
import type { PlanParams } from "../protocol/planning.ts";
import { type Command, type CommandContext, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { imaginedGpu } from "./imaginedGpu.ts";
import { describePlan } from "./planText.ts";

export const planCommand: Command = {
  name: "plan",
  synopsis: "plan [--model FILE] [--vram SIZE] [--ram SIZE] [--profile P] [--mode MODE] [--json]",
  summary: "Show where a model's layers and neurons would go, how fast it would run, and why. Loads nothing.",
  details: [
    "--model FILE          a GGUF file (default: the starter model)",
    "--vram SIZE           memory of the GPU, such as 8GB; 0: no GPU (default: what is free here)",
    "--ram SIZE            memory of the machine (default: what is here)",
    "--gpu-bandwidth GB/s  of a GPU that is not here (default: that of a usual card with so much memory)",
    "--context N           tokens of context (default: 4096)",
    "--profile P           which neurons are hot, from `hotpath profile`",
    `--mode MODE           ${modeChoices.join(", ")} (default: auto)`,
    "--json                print one JSON object",
    "Exit code 1 when it does not fit in memory.",
  ],
  options: {
    model: { type: "string" },
    vram: { type: "string" },
    ram: { type: "string" },
    "gpu-bandwidth": { type: "string" },
    context: { type: "string" },
    profile: { type: "string" },
    mode: { type: "string" },
    json: { type: "boolean" },
  },
  positionals: [0, 0],
  async run(context, _, options) {
    const asked = typeof options.ram === "string" ? parseSize("ram", options.ram) : 0;
    const ramBytes = asked || os.totalmem();
    const { params, gpuName } = await readParams(context, options, asked);
    const plan = await context.engine.plan(params, context.signal);
    const fitsRam = plan.ramNeededBytes <= ramBytes;
    if (options.json) context.print(JSON.stringify({ ...plan, gpu: gpuName, ramBytes, fitsRam }));
    else context.print(describePlan(plan, { gpuName, ramBytes, vramBytes: params.vramBytes }));
    return fitsRam ? exitStatus.ok : exitStatus.failed;
  },
};

interface Asked {
  readonly params: PlanParams;
  /** null: none. */
  readonly gpuName: string | null;
}

async function readParams(context: CommandContext, options: OptionValues, ramBytes: number): Promise<Asked> {
  const mode = modeChoices.find((choice) => choice === (options.mode ?? "auto"));
  if (!mode) throw new UsageError(`--mode is "${options.mode}"; it must be one of ${modeChoices.join(", ")}`);
  const contextLength = Number(options.context ?? 0);
  if (!Number.isInteger(contextLength) || contextLength < 0 || contextLength > 2 ** 30)
    throw new UsageError(`--context is "${options.context}"; it must be a number of tokens`);
  const file = (name: string) => {
    const value = options[name];
    return typeof value === "string" ? path.resolve(value) : "";
  };
  const { vramBytes, gpu, gpuName } = await chooseGpu(context, options);
  const model = file("model") || starterModelPath(context.productFolder);
  const files = { path: model, profile: file("profile") };
  return { params: { ...files, mode, vramBytes, ramBytes, contextLength, rates: null, gpu }, gpuName };
}

async function chooseGpu({ engine, signal }: CommandContext, options: OptionValues) {
  const { devices } = await engine.diagnostics(signal);
  const here = devices.find(({ kind }) => kind === "gpu");
  const asked = typeof options.vram === "string" ? parseSize("vram", options.vram) : undefined;
  const vramBytes = asked ?? here?.freeBytes ?? 0;
  const bandwidth = options["gpu-bandwidth"];
  if (vramBytes === 0) return { vramBytes, gpu: { gpuGBps: 0, gpuLayerUs: 0, exchangeUs: 0 }, gpuName: null };
  if (here && bandwidth === undefined) return { vramBytes, gpu: null, gpuName: here.description };
  const gpuGBps = bandwidth === undefined ? undefined : Number(bandwidth);
  if (gpuGBps !== undefined && !(gpuGBps > 0 && gpuGBps < 1e6))
    throw new UsageError(`--gpu-bandwidth is "${bandwidth}"; it must be a number of GB/s`);
  const { rates, name } = imaginedGpu(vramBytes, gpuGBps);
  return { vramBytes, gpu: rates, gpuName: name };
}

/** "8GB", "512 MB", "7.5GiB", "0". */
export function parseSize(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:(k|m|g|t)(i?)b?)?$/i.exec(text.trim());
  const [, number = "", unit = "", binary = ""] = match ?? [];
  if (!match || (unit === "" && Number(number) !== 0))
    throw new UsageError(`--${option} is "${text}"; it must be a size such as 8GB`);
  const power = " kmgt".indexOf(unit.toLowerCase() || " ");
  return Math.round(Number(number) * (binary ? 1024 : 1000) ** power);
}
