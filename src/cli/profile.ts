// Which neurons of a model are hot: counts them on texts, adds counts up, shows them.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { AppError } from "../common/errors.ts";
import { isSecretFile } from "../completion/secrets.ts";
import { starterModelPath } from "../models/starterModel.ts";
import type { ProfileSummary } from "../protocol/planning.ts";
import { type Command, type CommandContext, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { drawProfile } from "./profilePicture.ts";
import { describeProfile } from "./profileText.ts";
import { ProgressLine } from "./progressLine.ts";

export const profileCommand: Command = {
  name: "profile",
  synopsis: "profile FILE... --out P [--model FILE] | --merge P... --out P | --show P [--svg FILE]",
  summary: "Count which neurons of a model texts make active, for `plan`; add profiles up; show one.",
  details: [
    "FILE...       texts of the kind the model is used for, such as your source files",
    "--model FILE  a GGUF file (default: the starter model)",
    "--out P       the profile to write",
    "--merge       the files are profiles of one model: write their sum",
    "--show P      show a profile: how uneven the activity of each layer is",
    "--svg FILE    with --show: draw it, too",
    "--json        print one JSON object",
  ],
  options: {
    model: { type: "string" },
    out: { type: "string" },
    merge: { type: "boolean" },
    show: { type: "string" },
    svg: { type: "string" },
    json: { type: "boolean" },
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  async run(context, positionals, options) {
    const summary = await obtain(context, positionals, options);
    if (typeof options.svg === "string") writePicture(options.svg, summary);
    context.print(options.json ? JSON.stringify(summary) : describeProfile(summary));
    return exitStatus.ok;
  },
};

async function obtain(context: CommandContext, positionals: readonly string[], options: OptionValues) {
  const { engine, signal, productFolder } = context;
  const files = positionals.map((file) => path.resolve(file));
  if (typeof options.show === "string") {
    if (files.length > 0 || options.out || options.merge) throw new UsageError("--show takes no files and writes none");
    return engine.readProfile(path.resolve(options.show), signal);
  }
  if (files.length === 0) throw new UsageError("name the texts to run through the model, or a profile with --show");
  if (typeof options.out !== "string") throw new UsageError("say with --out where the profile goes");
  const out = path.resolve(options.out);
  if (options.merge) return engine.mergeProfiles(files, out, signal);
  const secret = files.find(isSecretFile);
  if (secret) throw new AppError("request/invalid", `${secret} looks like a file of secrets and is not read`);
  const model = {
    path: typeof options.model === "string" ? path.resolve(options.model) : starterModelPath(productFolder),
    device: "auto",
    gpuLayers: -1,
    contextLength: 0,
    threads: 0,
    mode: "auto",
  } as const;
  const progress = new ProgressLine(process.stderr);
  try {
    return await engine.profile(
      { model, files, out },
      ({ tokens, totalTokens }) => progress.show(tokens, totalTokens, `${tokens} of ${totalTokens} tokens`),
      signal,
    );
  } finally {
    progress.clear();
  }
}

function writePicture(file: string, summary: ProfileSummary): void {
  try {
    writeFileSync(file, drawProfile(summary));
  } catch (error) {
    throw new AppError("file/unwritable", (error as Error).message, { path: file }, error);
  }
}
