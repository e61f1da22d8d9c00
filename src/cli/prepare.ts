// `hotpath prepare`: a file beside the model that holds its weights as the engine wants them in memory.
import { accessSync, constants, mkdirSync } from "node:fs";
import path from "node:path";
import { sidecarFiles } from "../common/sidecarFiles.ts";
import { type Divergence, modeChoices, type PrepareResult } from "../protocol/model.ts";
import { type Command, exitStatus, UsageError } from "./command.ts";
import { chosenMode } from "./complete.ts";
import { formatBytes } from "./format.ts";
import { ProgressLine } from "./progressLine.ts";

export const prepareCommand: Command = {
  name: "prepare",
  synopsis: "prepare --model FILE [--mode MODE] [--out FILE] [--check] [--json]",
  summary: "Pack a model's weights once, so that every load maps them instead of packing them.",
  details: [
    "--model FILE   the model, a GGUF file",
    `--mode MODE    that the model is to be used in: ${modeChoices.join(", ")} (default: auto)`,
    "--out FILE     where to write; as it is, beside the model, or in Hotpath's folder where that cannot be written",
    "--check        compare an existing file, byte by byte, with its hashes and with the model",
    "--json         print one JSON object",
    "An interrupted run leaves FILE.part; the next one goes on from there.",
  ],
  options: {
    model: { type: "string" },
    mode: { type: "string" },
    out: { type: "string" },
    check: { type: "boolean" },
    json: { type: "boolean" },
  },
  positionals: [0, 0],
  async run({ engine, signal, print }, _, values) {
    if (typeof values.model !== "string") throw new UsageError("--model is missing");
    const model = path.resolve(values.model);
    const sidecar = typeof values.out === "string" ? path.resolve(values.out) : defaultFile(model);
    const onlyCheck = values.check === true;
    const mode = chosenMode(values);
    const line = new ProgressLine(process.stderr);
    try {
      const result = await engine.prepare(
        { model, sidecar, onlyCheck, mode },
        ({ step, done, total }) => line.show(done, total, stepNames[step], step),
        signal,
      );
      line.clear();
      print(values.json ? JSON.stringify(result) : describe(result, onlyCheck));
    } finally {
      line.clear();
    }
    return exitStatus.ok;
  },
};

function defaultFile(model: string): string {
  const [besideModel, inOurFolder] = sidecarFiles(model);
  try {
    accessSync(path.dirname(model), constants.W_OK);
    return besideModel;
  } catch {
    // A folder that is shared or not there; the engine says which.
    mkdirSync(path.dirname(inOurFolder), { recursive: true });
    return inOurFolder;
  }
}

function describe(
  { path: file, bytes, keptBytes, tensors, divergence, seconds }: PrepareResult,
  onlyCheck: boolean,
): string {
  const took = `${seconds.toFixed(1)} s`;
  const size = `${formatBytes(bytes)}, ${tensors} matrices`;
  if (onlyCheck) return `${file}: ${size}, all as they were written (${took})\n${describeDivergence(divergence)}`;
  const kept = keptBytes > 0 ? `, ${formatBytes(keptBytes)} of them packed before` : "";
  return [
    `${file}: ${size}${kept} (${took})`,
    describeDivergence(divergence),
    "Used from the next time the model is loaded.",
  ].join("\n");
}

function describeDivergence({ mean, max, topAgreement, tokens }: Divergence): string {
  const share = `${(100 * topAgreement).toFixed(1)} %`;
  return `Beside llama.cpp: divergence ${mean.toPrecision(2)} nats on average, ${max.toPrecision(2)} at most; the same most likely token at ${share} of ${tokens}.`;
}

const stepNames = { packing: "Packing", comparing: "Comparing with llama.cpp", checking: "Checking" } as const;
