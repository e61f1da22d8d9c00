// Runs on this machine: with its engine, its models and its folder of records.
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "../../common/cancellation.ts";
import type { Engine } from "../../engine/engine.ts";
import { starterModelPath } from "../../models/starterModel.ts";
import type { DatasetStore } from "../datasets/datasetStore.ts";
import type { RecordEntry, RunEntry } from "../record/entries.ts";
import { RecordWriter } from "../record/recordWriter.ts";
import { runsFolder } from "../record/runs.ts";
import type { SubjectDefinition } from "../subject.ts";
import { subjectFactory } from "../subjects/createSubject.ts";
import { recipeOf } from "../subjects/syntheticFiles.ts";
import { createReplay } from "../suites/keystrokes/replay.ts";
import { prepareSuite } from "../suites/prepareSuite.ts";
import { withFreshPrompts } from "../suites/speedTasks.ts";
import { openEnergyMeter } from "./energy.ts";
import { gatherEnvironment } from "./environment.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { EntrySink } from "./journal.ts";
import { asOnlyRun } from "./oneRun.ts";
import type { RunPlan } from "./plan.ts";
import type { RunControl, RunProgress } from "./progress.ts";
import { type RunDeps, type RunOutcome, runBenchmark } from "./runner.ts";
import type { SandboxAccess } from "./scoring.ts";

export interface LocalMachine {
  readonly engine: Engine;
  /** Holds media/ and dist/. */
  readonly productFolder: string;
  readonly datasets: DatasetStore;
  /** null: the user did not allow that what models wrote is run. */
  readonly sandbox: SandboxAccess | null;
}

export interface Watcher {
  readonly control: RunControl;
  readonly onProgress: (progress: RunProgress) => void;
  /** Gets each entry once it is written; of a resumed run first those that are there. */
  readonly onEntry?: (entry: RecordEntry) => void;
}

export interface NewRun {
  readonly runId: string;
  readonly plan: RunPlan;
  /** Has no record yet. */
  readonly folder: string;
}

/** Rejects with `request/invalid` while another run goes on. */
export function startRun(run: NewRun, machine: LocalMachine, watcher: Watcher): Promise<RunOutcome> {
  return asOnlyRun(() => start(run, machine, watcher));
}

/** Goes on with the run whose record lies in `folder`. Rejects with `request/invalid` while another goes on. */
export function resumeRun(folder: string, machine: LocalMachine, watcher: Watcher): Promise<RunOutcome> {
  return asOnlyRun(() => resume(folder, machine, watcher));
}

async function start(
  { runId, plan, folder }: NewRun,
  machine: LocalMachine,
  { control, onProgress, onEntry = () => {} }: Watcher,
): Promise<RunOutcome> {
  let writer: RecordWriter | undefined;
  const create = async (run: RunEntry) => {
    writer = await RecordWriter.create(folder, run);
    onEntry(run);
    return telling(writer, onEntry);
  };
  try {
    const deps = await dependenciesOn(machine);
    const fresh = { ...plan, suites: plan.suites.map(withFreshPrompts) };
    return await runBenchmark(fresh, { previous: null, runId, create }, deps, control, onProgress);
  } finally {
    await writer?.close();
  }
}

async function resume(
  folder: string,
  machine: LocalMachine,
  { control, onProgress, onEntry = () => {} }: Watcher,
): Promise<RunOutcome> {
  const { writer, record } = await RecordWriter.resume(folder);
  try {
    const deps = await dependenciesOn(machine);
    record.entries.forEach(onEntry);
    const target = { previous: record, sink: telling(writer, onEntry) };
    return await runBenchmark(record.run.plan, target, deps, control, onProgress);
  } finally {
    await writer.close();
  }
}

function telling(writer: RecordWriter, onEntry: (entry: RecordEntry) => void): EntrySink {
  return {
    append: async (entry) => {
      await writer.append(entry);
      onEntry(entry);
    },
  };
}

/** Bytes per second of a server's memory, of which nothing is known. */
const unknownBandwidth = 50e9;

/**
 * How long a plan will take here. Measures the memory when that has not been done, and loads nothing. Servers do not need
 * the engine, which may be missing.
 */
export async function estimateRun(
  plan: RunPlan,
  { engine, productFolder }: Pick<LocalMachine, "engine" | "productFolder">,
  signal: AbortSignal,
): Promise<Estimate> {
  const isLocal = plan.subjects.some(({ kind }) => kind !== "server");
  const bandwidth = isLocal ? await bandwidthHere(engine, signal) : unknownBandwidth;
  const modelBytes = new Map<string, number>();
  for (const subject of plan.subjects) {
    const bytes = await bytesOf(subject, { engine, productFolder }, signal);
    if (bytes !== null) modelBytes.set(subject.id, bytes);
  }
  return estimate(plan, { modelBytes, bandwidth });
}

async function bandwidthHere(engine: Engine, signal: AbortSignal): Promise<number> {
  const { rates } = (await engine.measure({ fresh: false }, signal)).measurement;
  return 1e9 * Math.max(rates.cpuStreamGBps, rates.gpuGBps);
}

async function bytesOf(
  subject: SubjectDefinition,
  { engine, productFolder }: Pick<LocalMachine, "engine" | "productFolder">,
  signal: AbortSignal,
): Promise<number | null> {
  if (subject.kind === "server") return null;
  if (subject.kind === "model") return (await stat(subject.spec.path).catch(() => null))?.size ?? null; // The run says it.
  const params = { vocabulary: starterModelPath(productFolder), options: recipeOf(subject) };
  return (await engine.describeSynthetic(params, signal)).bytes;
}

async function dependenciesOn(machine: LocalMachine): Promise<RunDeps> {
  const { engine, productFolder, datasets, sandbox } = machine;
  return {
    environment: (signal) => gatherEnvironment(engine, signal),
    prepareSuite: (choice) => prepareSuite(choice, { datasets, productFolder }),
    createSubject: subjectFactory({ engine, productFolder, folder: runsFolder() }),
    sandbox,
    replay: createReplay(engine),
    energy: await openEnergyMeter(),
    clock: { now: Date.now, wait },
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw cancelled(); // The only way it fails.
  });
}
