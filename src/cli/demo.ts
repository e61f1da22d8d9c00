// `npm start`: shows a completion as it streams, with its numbers.
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { sampleFile } from "../common/sampleFile.ts";
import { starterModelLimits } from "../models/starterModel.ts";
import type { Sparsity } from "../protocol/model.ts";
import { type Command, type CommandContext, exitStatus } from "./command.ts";
import { chosenModel, modelOptionDetails, modelOptions } from "./complete.ts";
import { type Completion, completeAt } from "./completeAt.ts";
import { findEditor } from "./editorOnThisMachine.ts";
import { describeHot, formatRows } from "./format.ts";
import { GhostText } from "./ghostText.ts";
import { parseLocation } from "./location.ts";

export const demoCommand: Command = {
  name: "demo",
  synopsis: "demo [FILE:LINE:COLUMN] [--model FILE] [--mode MODE] [--max-tokens N]",
  summary: "Show a completion as it streams, of a sample file or your own.",
  details: [...modelOptionDetails],
  options: { ...modelOptions },
  positionals: [0, 1],
  async run({ engine, productFolder, signal, print, isTerminal }, [place], options) {
    const isSample = place === undefined;
    const location = isSample
      ? { ...sampleFile, file: path.join(productFolder, sampleFile.path) }
      : parseLocation(place);
    const { model, maxTokens } = chosenModel(options, productFolder);
    const ghost = new GhostText(process.stdout, isTerminal);
    const completion = await completeAt(engine, location, {
      model,
      maxTokens,
      signal,
      onPlace: (prefix, suffix, { name }) => {
        print(`\n${path.relative(process.cwd(), location.file)}, completed by ${name}:\n`);
        ghost.begin(prefix, suffix);
      },
      onText: (text) => ghost.grow(text),
    });
    ghost.end(completion.outcome);
    print(`\n${describe(completion)}`);
    if (options.model === undefined) print(`\nThe starter model is ${starterModelLimits}`);
    print(`\n${isSample ? "Your own file:   npm start -- FILE:LINE:COLUMN" : ""}`);
    await offerEditor(productFolder, isTerminal, print);
    return exitStatus.ok;
  },
};

function describe({ outcome, model }: Completion): string {
  const { timings, stats } = outcome;
  const devices = model.devices
    .filter(({ layers }) => layers > 0)
    .map(({ name, description, layers }) => `${name} (${description}): ${layers} of ${model.layerCount} layers`);
  const rows: [string, string][] = [
    ["model", `${model.name}, ${model.architecture}, ${model.quantization}`],
    ["ran on", `${devices.join("; ")}; ${model.threads} CPU thread${model.threads === 1 ? "" : "s"}`],
    ["mode", `${model.mode}: ${model.modeReason}`],
  ];
  if (model.fallback) rows.push(["not as asked", model.fallback]);
  if (stats && timings.ttftMs !== null) {
    const { promptTokens, reusedTokens, generatedTokens, prefillTokensPerSecond, decodeTokensPerSecond } = stats;
    rows.push(
      ["first token", `${timings.ttftMs.toFixed(1)} ms`],
      ["speed", `${decodeTokensPerSecond.toFixed(0)} tok/s decode, ${prefillTokensPerSecond.toFixed(0)} tok/s prefill`],
      ["tokens", `${promptTokens} in the prompt (${reusedTokens} reused), ${generatedTokens} generated`],
    );
  }
  if (stats?.sparsity) rows.push(["neurons", describeSparsity(stats.sparsity)]);
  if (stats?.hot) rows.push(["hot neurons", describeHot(stats.hot)]);
  if (outcome.reason) rows.push(["nothing shown", outcome.reason]);
  return formatRows(rows);
}

function describeSparsity({ activeShare, hotShare, bytesPerToken, denseBytesPerToken }: Sparsity): string {
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  if (activeShare === 1 && hotShare === 0)
    return `all are computed; ${megabytes(bytesPerToken)} of weights read per token`;
  const where = hotShare > 0 ? `, ${percent(hotShare)} of these on the GPU` : "";
  return `${percent(activeShare)} active${where}; ${megabytes(bytesPerToken)} of weights read per token, ${megabytes(denseBytesPerToken)} if dense`;
}

async function offerEditor(productFolder: string, isTerminal: boolean, print: CommandContext["print"]): Promise<void> {
  const editor = findEditor();
  if (!editor)
    return print("In the editor:   npm run editor        opens VS Code in the browser; it is not installed here");
  if (!isTerminal || !process.stdin.isTTY)
    return print("In the editor:   npm run editor        opens it with the extension");
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`Open ${editor} with the extension now? [y/N] `);
  prompt.close();
  if (!/^y(es)?$/i.test(answer.trim())) return;
  const args = [`--extensionDevelopmentPath=${productFolder}`, path.join(productFolder, "media", "sample")];
  spawn(editor, args, { detached: true, stdio: "ignore", shell: process.platform === "win32" }).unref();
}
