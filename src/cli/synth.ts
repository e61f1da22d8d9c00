// `hotpath synth`: models of random weights whose neurons are active as often as asked, to measure speed with.
import path from "node:path";
import { starterModelPath } from "../models/starterModel.ts";
import { type Command, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { formatBytes } from "./format.ts";
import { ProgressLine } from "./progressLine.ts";

const valueOptions = [
  "preset",
  "arch",
  "type",
  "active",
  "skew",
  "seed",
  "layers",
  "embd",
  "heads",
  "kv-heads",
  "head-dim",
  "ff",
  "experts",
  "experts-used",
  "vocab",
] as const;

export const synthCommand: Command = {
  name: "synth",
  synopsis: "synth OUT.gguf --preset NAME [options]",
  summary: "Write a model of random weights with planted activity, for measuring speed.",
  details: [
    "--preset NAME    sizes: tiny, tiny-moe, 0.5b, 1.5b, 3b, qwen-7b, 14b, 32b, 7b, 13b, 34b, 70b, 30b-a3b",
    "--arch NAME      llama, llama-relu, arcee, moe; with --powerinfer llama-relu, bamboo, falcon, opt",
    "--type NAME      q8_0, q4_0, q4_k, q6_k, f16, bf16, f32",
    "--active A[:B]   fraction of neurons active for a token, in the first and the last layer (0.11)",
    "--skew S         share of all activations that the hottest 26 % of neurons have (0.54)",
    "--powerinfer     in PowerInfer's file format, with predictors",
    "--seed, --layers, --embd, --heads, --kv-heads, --head-dim, --ff, --experts, --experts-used, --vocab  N",
    "--vocabulary FILE  the model whose tokens it gets (the starter model)",
    "--json           print one JSON object",
  ],
  options: {
    ...Object.fromEntries(valueOptions.map((name) => [name, { type: "string" as const }])),
    powerinfer: { type: "boolean" },
    vocabulary: { type: "string" },
    json: { type: "boolean" },
  },
  positionals: [1, 1],
  async run({ engine, productFolder, signal, print }, [file = ""], values) {
    if (values.preset === undefined && values.layers === undefined)
      throw new UsageError("--preset or the sizes are missing");
    const vocabulary = typeof values.vocabulary === "string" ? values.vocabulary : starterModelPath(productFolder);
    const params = { path: path.resolve(file), vocabulary: path.resolve(vocabulary), options: givenOptions(values) };
    const line = new ProgressLine(process.stderr);
    try {
      const { bytes, seconds } = await engine.synthesize(
        params,
        ({ bytes: done, totalBytes }) => line.show(done, totalBytes, `Writing ${formatBytes(totalBytes)}`),
        signal,
      );
      line.clear();
      print(
        values.json
          ? JSON.stringify({ path: params.path, bytes, seconds })
          : `${file}: ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`,
      );
    } finally {
      line.clear();
    }
    return exitStatus.ok;
  },
};

function givenOptions(values: OptionValues): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of valueOptions) {
    const value = values[name];
    if (typeof value === "string") given[name] = value;
  }
  if (values.powerinfer) given.powerinfer = "yes";
  return given;
}
