import { existsSync, statSync } from "node:fs";
import { readRecentModels } from "../models/recentModels.ts";
import { starterModelLimits, starterModelPath } from "../models/starterModel.ts";
import { suggestedModels } from "../models/suggestedModels.ts";
import { type Command, exitStatus } from "./command.ts";
import { formatBytes, formatRows } from "./format.ts";

export const modelsCommand: Command = {
  name: "models",
  synopsis: "models [--json]",
  summary: "List the starter model, the models used recently, and models worth getting.",
  details: ["--json   print one JSON object"],
  options: { json: { type: "boolean" } },
  positionals: [0, 0],
  async run({ productFolder, print }, _, { json }) {
    const starter = describeFile(starterModelPath(productFolder));
    const recent = readRecentModels().map(describeFile);
    if (json) print(JSON.stringify({ starter, recent, suggested: suggestedModels }));
    else print(describe(starter, recent));
    return exitStatus.ok;
  },
};

interface ModelFile {
  readonly path: string;
  readonly bytes: number | null;
}

/** null bytes: the file is gone. */
function describeFile(path: string): ModelFile {
  return { path, bytes: existsSync(path) ? statSync(path).size : null };
}

function describe(starter: ModelFile, recent: readonly ModelFile[]): string {
  const size = ({ bytes }: ModelFile) => (bytes === null ? "file is gone" : formatBytes(bytes));
  const suggested = suggestedModels.map(
    ({ name, sizeGB, license, fits }) => [name, `${sizeGB.toFixed(1)} GB in 4 bit, ${license}: ${fits}`] as const,
  );
  return [
    `Starter model: ${starter.path} (${size(starter)})`,
    `  ${starterModelLimits}`,
    "",
    "Used recently:",
    recent.length > 0 ? formatRows(recent.map((model) => [model.path, size(model)])) : "  none",
    "",
    "Worth getting, as GGUF files; any other GGUF with fill-in-the-middle tokens works too:",
    formatRows(suggested),
  ].join("\n");
}
