// `hotpath bench`: measures models, shapes and servers on this machine, and keeps all of it as a record.
import { existsSync } from "node:fs";
import path from "node:path";
import { DatasetStore } from "../benchmark/datasets/datasetStore.ts";
import { readRecordFile } from "../benchmark/record/recordFile.ts";
import { newRunId, recordFile, runFolder, runsFolder } from "../benchmark/record/runs.ts";
import { quoted } from "../benchmark/report/benchArgs.ts";
import { summarize } from "../benchmark/report/summary.ts";
import { plain, renderText } from "../benchmark/report/text.ts";
import { estimateRun, type LocalMachine, resumeRun, startRun, type Watcher } from "../benchmark/run/localRun.ts";
import { refuseBesideOthers } from "../benchmark/run/oneRun.ts";
import type { RunPlan } from "../benchmark/run/plan.ts";
import type { RunProgress } from "../benchmark/run/progress.ts";
import type { RunOutcome } from "../benchmark/run/runner.ts";
import type { SandboxAccess } from "../benchmark/run/scoring.ts";
import { Steering } from "../benchmark/run/steering.ts";
import { defaultRounds, suiteIds } from "../benchmark/suite.ts";
import { datasetsOf } from "../benchmark/suites/prepareSuite.ts";
import { freeVideoMemory } from "../benchmark/suites/sizes/room.ts";
import { dataFolder } from "../common/dataFolder.ts";
import { AppError, toAppError } from "../common/errors.ts";
import { formatDuration } from "../common/formatDuration.ts";
import { starterModelPath } from "../models/starterModel.ts";
import { modeChoices } from "../protocol/model.ts";
import { createChildSandbox } from "../sandbox/childSandbox.ts";
import { checkResume, datasetFilesOf, defaultActive, defaultType, readPlan } from "./benchPlan.ts";
import { type Command, type CommandContext, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { formatBytes } from "./format.ts";
import { readPlanFile } from "./planFile.ts";
import { ProgressLine } from "./progressLine.ts";
import { recordToResume } from "./runArgument.ts";

export const benchCommand: Command = {
  name: "bench",
  synopsis: "bench [--suite S,...] [--model FILE]... [--mode M,...] [--server URL]... [--shapes S,...] [options]",
  summary: "Measure speed and quality of models on this machine, side by side, as a record that others can verify.",
  details: [
    `--suite S,...        ${suiteIds.join(", ")} (default: latency, sizes for shapes, and starter with --allow-code)`,
    "--model FILE         a GGUF file; repeat it to compare (default: the starter model)",
    `--mode M,...         ${modeChoices.join(", ")}: each model in each of them (default: auto; of shapes dense, exact)`,
    "--server URL         somebody else's server: URL, URL#API or URL#API=MODEL; API: openai, llama-server, ollama. A key for openai or llama-server: in the environment, HOTPATH_SERVER_KEY",
    "--shapes S,...       sizes with random weights: 0.5b, 1.5b, 3b, qwen-7b, 14b, 32b (Qwen2.5-Coder), 7b, 13b, 34b, 70b (Llama 2, CodeLlama), 30b-a3b (Qwen3-Coder)",
    `--types T,...        of their weights (default: ${defaultType})`,
    `--active A           share of their neurons active for a token (default: ${defaultActive})`,
    "--limit N            tasks per suite (default: all)",
    `--repetitions N      rounds of speed suites (default: ${defaultRounds}); with --temperature samples of a task (default: 1)`,
    "--temperature T      sample instead of taking the likeliest token; quality suites only",
    "--top-p P            sample of the likeliest tokens that make up this share (default: 1)",
    "--threads N          processor threads (default: all physical cores but one)",
    "--device cpu         no GPU",
    "--dataset NAME=FILE  a data set's file",
    "--fetch              get data sets that are not here from GitHub",
    "--allow-code         run code that models wrote, in a sandbox",
    "--allow-reduced      also where the sandbox lacks one of its walls",
    "--plan FILE          do the run of a plan.json again; --model names where its models lie here",
    "--resume RUNID       complete a run that was interrupted, or try again what failed in it",
    "--out DIR            folder of the record (default: one in Hotpath's data folder)",
    "--json               print one JSON object",
    "Ctrl+C ends a run and keeps what was measured. Exit code 1 when something could not be measured.",
  ],
  options: {
    suite: { type: "string", multiple: true },
    model: { type: "string", multiple: true },
    mode: { type: "string", multiple: true },
    server: { type: "string", multiple: true },
    shapes: { type: "string", multiple: true },
    types: { type: "string", multiple: true },
    dataset: { type: "string", multiple: true },
    active: { type: "string" },
    limit: { type: "string" },
    repetitions: { type: "string" },
    temperature: { type: "string" },
    "top-p": { type: "string" },
    threads: { type: "string" },
    device: { type: "string" },
    fetch: { type: "boolean" },
    "allow-code": { type: "boolean" },
    "allow-reduced": { type: "boolean" },
    plan: { type: "string" },
    resume: { type: "string" },
    out: { type: "string" },
    json: { type: "boolean" },
  },
  positionals: [0, 0],
  async run(context, _, options) {
    const line = new ProgressLine(process.stderr);
    try {
      const measured = await measure(context, options, line);
      line.clear();
      await show(context, measured, options);
      if (measured.outcome.status === "cancelled") return exitStatus.interrupted;
      return measured.outcome.failures.length === 0 ? exitStatus.ok : exitStatus.failed;
    } finally {
      line.clear();
    }
  },
};

interface Measured {
  readonly outcome: RunOutcome;
  readonly folder: string;
}

async function measure(context: CommandContext, options: OptionValues, line: ProgressLine): Promise<Measured> {
  if (typeof options.resume === "string") checkResume(options);
  // Before data are fetched and the memory is measured.
  refuseBesideOthers();
  const steering = new Steering();
  context.signal.addEventListener("abort", () => steering.cancel(), { once: true });
  const files = datasetFilesOf(options);
  const store = new DatasetStore({ folder: path.join(dataFolder(), "datasets"), files });
  const machine = machineOf(context, options, store);
  const onProgress = (progress: RunProgress) => line.say(describeProgress(progress));
  const measured = async (runId: string, folder: string, run: (watcher: Watcher) => Promise<RunOutcome>) => {
    const work = (onEntry: () => void) => run({ control: steering, onProgress, onEntry });
    return { outcome: await orTellHowToGoOn(work, folder, resumeCommand(runId, options)), folder };
  };
  const out = typeof options.out === "string" ? path.resolve(options.out) : null;
  if (typeof options.resume === "string") {
    const record = await recordToResume(options.resume, out);
    if (options.fetch) await fetchMissing((await readRecordFile(record)).record.run.plan, store, line, context);
    return measured(options.resume, path.dirname(record), (watcher) =>
      resumeRun(path.dirname(record), machine, watcher),
    );
  }
  const { plan, notes } =
    typeof options.plan === "string"
      ? await readPlanFile(options.plan, options, context.productFolder)
      : await readPlan(options, planSources(context));
  for (const note of notes) process.stderr.write(`hotpath: ${plain(note)}\n`);
  if (options.fetch) await fetchMissing(plan, store, line, context);
  line.say("Estimating how long this takes"); // The first time the memory is measured for it.
  const { leastMs, mostMs } = await estimateRun(plan, machine, context.signal);
  line.clear();
  if (context.isTerminal && !options.json)
    context.print(`This takes ${formatDuration(leastMs)} to ${formatDuration(mostMs)}, by a rough estimate.`);
  const runId = newRunId(new Date());
  const folder = out ?? runFolder(runId);
  return measured(runId, folder, (watcher) => startRun({ runId, plan, folder }, machine, watcher));
}

/** A run that breaks off, as by a full disk, leaves its record in the folder. */
async function orTellHowToGoOn<T>(run: (onEntry: () => void) => Promise<T>, folder: string, command: string) {
  let isBegun = false;
  try {
    return await run(() => {
      isBegun = true;
    });
  } catch (error) {
    const { code, message, details } = toAppError(error);
    if (!isBegun || !existsSync(recordFile(folder)) || code === "internal/bug") throw error;
    throw new AppError(code, `${message}. What was measured is kept; go on with it: ${command}`, details, error);
  }
}

/** With what the record of a run does not say: where it is, and what the user allowed. */
function resumeCommand(runId: string, options: OptionValues): string {
  const allowed = ["allow-code", "allow-reduced"].filter((name) => options[name] === true).map((name) => `--${name}`);
  const files = Object.entries(datasetFilesOf(options)).map(([name, file]) => `--dataset ${quoted(`${name}=${file}`)}`);
  const out = typeof options.out === "string" ? [`--out ${quoted(options.out)}`] : [];
  return ["hotpath bench --resume", runId, ...allowed, ...files, ...out].join(" ");
}

function machineOf(
  { engine, productFolder }: CommandContext,
  options: OptionValues,
  store: DatasetStore,
): LocalMachine {
  const allowReduced = options["allow-reduced"] === true;
  if (allowReduced && !options["allow-code"]) throw new UsageError("--allow-reduced needs --allow-code");
  const sandbox: SandboxAccess = {
    consent: allowReduced ? "reduced" : "full",
    create: () => createChildSandbox({ folder: path.join(productFolder, "dist"), allowReduced }),
  };
  return { engine, productFolder, datasets: store, sandbox: options["allow-code"] ? sandbox : null };
}

function planSources({ engine, productFolder, signal }: CommandContext) {
  const vocabulary = starterModelPath(productFolder);
  const describe = (options: Readonly<Record<string, string>>) =>
    engine.describeSynthetic({ vocabulary, options }, signal);
  return { productFolder, describe, videoMemory: () => freeVideoMemory(engine, signal), folder: runsFolder() };
}

async function fetchMissing(
  { suites }: RunPlan,
  store: DatasetStore,
  line: ProgressLine,
  { signal }: CommandContext,
): Promise<void> {
  for (const dataset of suites.flatMap(({ id }) => datasetsOf(id))) {
    if (await store.has(dataset)) continue;
    const onProgress = (bytes: number, totalBytes: number) =>
      line.show(bytes, totalBytes, `Fetching ${dataset.title}, ${formatBytes(totalBytes)}`, dataset.name);
    await store.fetch(dataset, onProgress, signal);
  }
}

function describeProgress({ phase, what, done, total, remainingMs }: RunProgress): string {
  const left = remainingMs ? `, ${formatDuration(remainingMs)} left` : "";
  const counts = total > 0 ? `${done} of ${total}${left}: ` : "";
  return `${counts}${phase.replace("-", " ")} ${what}`;
}

async function show(
  { print, width }: CommandContext,
  { outcome, folder }: Measured,
  options: OptionValues,
): Promise<void> {
  const { runId, status, failures } = outcome;
  const { record } = await readRecordFile(recordFile(folder));
  const summary = summarize(record);
  if (options.json) return print(JSON.stringify({ runId, status, folder, failures, summary }));
  print(renderText(summary, width));
  print(`\nRecord: ${recordFile(folder)}`);
  print(
    `All tables, and how to read them: hotpath report ${typeof options.out === "string" ? quoted(options.out) : runId} --md`,
  );
  const resume = resumeCommand(runId, options);
  if (status === "cancelled") print(`Go on with it: ${resume}`);
  else if (failures.length > 0) print(`Try again what failed: ${resume}`);
}
