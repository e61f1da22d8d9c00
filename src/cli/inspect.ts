import path from "node:path";
import type { FimInfo, ModelMetadata } from "../protocol/model.ts";
import { type Command, exitStatus } from "./command.ts";
import { formatBytes, formatCount, formatRows } from "./format.ts";

export const inspectCommand: Command = {
  name: "inspect",
  synopsis: "inspect FILE [--json]",
  summary: "Show what a model file says about itself, without loading it.",
  details: ["--json   print one JSON object"],
  options: { json: { type: "boolean" } },
  positionals: [1, 1],
  async run({ engine, signal, print }, [file = ""], { json }) {
    const metadata = await engine.inspect(path.resolve(file), signal);
    print(json ? JSON.stringify(metadata) : describe(metadata));
    return exitStatus.ok;
  },
};

function describe(model: ModelMetadata): string {
  return formatRows(
    [
      ["name", model.name],
      ["file", `${model.path} (${model.format}, ${formatBytes(model.fileBytes)})`],
      ["architecture", `${model.architecture}, ${model.layerCount} layers, width ${model.embeddingLength}`],
      ["parameters", formatCount(model.parameterCount)],
      ["quantization", model.quantization],
      ["context", `${model.trainedContextLength} tokens in training`],
      ["vocabulary", `${model.vocabularySize} tokens`],
      ["fill in the middle", describeFim(model.fim)],
      ["license", model.license ?? "not stated in the file"],
    ],
    "",
  );
}

function describeFim(fim: FimInfo | null): string {
  if (!fim) return "no: this model cannot complete code at a cursor";
  if (fim.order === "prefix") return "no: this model goes on from the cursor without seeing what follows it";
  return `yes, ${fim.order.toUpperCase()} order (${fim.source})`;
}
