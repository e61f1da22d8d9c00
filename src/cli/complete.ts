import path from "node:path";
import { addRecentModel } from "../models/recentModels.ts";
import { starterModelPath } from "../models/starterModel.ts";
import { type ModeChoice, type ModelSpec, modeChoices } from "../protocol/model.ts";
import { type Command, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { type Completion, completeAt } from "./completeAt.ts";
import { parseLocation } from "./location.ts";

const defaultMaxTokens = 64;

export const modelOptions = {
  model: { type: "string" },
  "max-tokens": { type: "string" },
  mode: { type: "string" },
} as const;

export const modelOptionDetails = [
  "--model FILE      a GGUF file (default: the starter model)",
  `--max-tokens N    tokens to generate at most (default: ${defaultMaxTokens})`,
  `--mode MODE       how it is executed: ${modeChoices.join(", ")} (default: auto)`,
] as const;

export const completeCommand: Command = {
  name: "complete",
  synopsis: "complete FILE:LINE:COLUMN [--model FILE] [--mode MODE] [--max-tokens N] [--json]",
  summary: "Complete a file at a place, as the editor would, and print the text.",
  details: [
    "Lines and columns count from 1.",
    ...modelOptionDetails,
    "--json            print one JSON object: text, source, model, mode, sparsity, devices, timings, tokens",
    "Without a completion nothing is printed, and the reason goes to stderr.",
  ],
  options: { ...modelOptions, json: { type: "boolean" } },
  positionals: [1, 1],
  async run({ engine, productFolder, signal, print }, [place = ""], options) {
    const location = parseLocation(place);
    const { model, maxTokens } = chosenModel(options, productFolder);
    const completion = await completeAt(engine, location, { model, maxTokens, signal });
    if (options.model) addRecentModel(model.path);
    if (options.json) print(JSON.stringify(toJson(completion)));
    else if (completion.outcome.text) print(completion.outcome.text);
    else process.stderr.write(`no completion: ${completion.outcome.reason}\n`);
    return exitStatus.ok;
  },
};

export function chosenModel(options: OptionValues, productFolder: string): { model: ModelSpec; maxTokens: number } {
  const file = typeof options.model === "string" ? path.resolve(options.model) : starterModelPath(productFolder);
  const maxTokens = Number(options["max-tokens"] ?? defaultMaxTokens);
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new UsageError(`--max-tokens is "${options["max-tokens"]}"; it must be a whole number from 1 up`);
  }
  const mode = chosenMode(options);
  return { model: { path: file, device: "auto", gpuLayers: -1, contextLength: 0, threads: 0, mode }, maxTokens };
}

function toJson({ outcome, model }: Completion) {
  const { text, source, reason, timings, stats } = outcome;
  return {
    text,
    source,
    reason,
    model: { name: model.name, path: model.path, architecture: model.architecture, quantization: model.quantization },
    mode: model.mode,
    modeReason: model.modeReason,
    sparsity: stats?.sparsity ?? null,
    devices: model.devices,
    fallback: model.fallback,
    timings: {
      ttftMs: timings.ttftMs,
      totalMs: timings.totalMs,
      prefillTokensPerSecond: stats?.prefillTokensPerSecond ?? null,
      decodeTokensPerSecond: stats?.decodeTokensPerSecond ?? null,
    },
    tokens: {
      prompt: stats?.promptTokens ?? 0,
      reused: stats?.reusedTokens ?? 0,
      generated: stats?.generatedTokens ?? 0,
    },
  };
}

export function chosenMode({ mode = "auto" }: OptionValues): ModeChoice {
  const chosen = modeChoices.find((choice) => choice === mode);
  if (!chosen) throw new UsageError(`--mode is "${mode}"; it must be one of ${modeChoices.join(", ")}`);
  return chosen;
}
