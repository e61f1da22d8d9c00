// Runs on this machine: with its engine, its models and its folder of records.
import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "../../common/cancellation.ts";
import type { Engine } from "../../engine/engine.ts";
import type { DatasetStore } from "../datasets/datasetStore.ts";
import type { RunEntry } from "../record/entries.ts";
import { RecordWriter } from "../record/recordWriter.ts";
import { runsFolder } from "../record/runs.ts";
import { subjectFactory } from "../subjects/createSubject.ts";
import { prepareSuite } from "../suites/prepareSuite.ts";
import { openEnergyMeter } from "./energy.ts";
import { gatherEnvironment } from "./environment.ts";
import type { RunPlan } from "./plan.ts";
import type { RunControl, RunProgress } from "./progress.ts";
import { type RunDeps, type RunOutcome, runBenchmark } from "./runner.ts";
import type { SandboxAccess } from "./scoring.ts";
import type { Replay } from "./suiteRun.ts";

export interface LocalMachine {
  readonly engine: Engine;
  /** Holds media/ and dist/. */
  readonly productFolder: string;
  readonly datasets: DatasetStore;
  readonly sandbox: SandboxAccess | null;
  readonly replay: Replay | null;
}

export interface Watcher {
  readonly control: RunControl;
  readonly onProgress: (progress: RunProgress) => void;
}

/** Starts a run whose record lies in `folder`, which has none yet. */
export async function startRun(
  { runId, plan, folder }: { readonly runId: string; readonly plan: RunPlan; readonly folder: string },
  machine: LocalMachine,
  { control, onProgress }: Watcher,
): Promise<RunOutcome> {
  let writer: RecordWriter | undefined;
  const create = async (run: RunEntry) => {
    writer = await RecordWriter.create(folder, run);
    return writer;
  };
  try {
    const deps = await dependenciesOn(machine);
    return await runBenchmark(plan, { previous: null, runId, create }, deps, control, onProgress);
  } finally {
    await writer?.close();
  }
}

/** Goes on with the run whose record lies in `folder`. */
export async function resumeRun(
  folder: string,
  machine: LocalMachine,
  { control, onProgress }: Watcher,
): Promise<RunOutcome> {
  const { writer, record } = await RecordWriter.resume(folder);
  try {
    const deps = await dependenciesOn(machine);
    return await runBenchmark(record.run.plan, { previous: record, sink: writer }, deps, control, onProgress);
  } finally {
    await writer.close();
  }
}

async function dependenciesOn(machine: LocalMachine): Promise<RunDeps> {
  const { engine, productFolder, datasets, sandbox, replay } = machine;
  return {
    environment: (signal) => gatherEnvironment(engine, signal),
    prepareSuite: (choice) => prepareSuite(choice, { datasets, productFolder }),
    createSubject: subjectFactory({ engine, productFolder, folder: runsFolder() }),
    sandbox,
    replay,
    energy: await openEnergyMeter(),
    clock: { now: Date.now, wait },
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw cancelled(); // The only way it fails.
  });
}
