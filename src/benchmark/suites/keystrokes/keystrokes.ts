// Typing, replayed: how often there is a suggestion, how soon, and how much of it was typed anyway.
// A program typed the traces that ship, with modelled pauses: the protocol calls them simulated, and those of people
// recorded.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { dataFolder } from "../../../common/dataFolder.ts";
import { AppError } from "../../../common/errors.ts";
import type { PreparedSuite, ReplayTask, SuiteChoice } from "../../suite.ts";
import { checkChoice, evenlySpread, protocolName } from "../protocol.ts";
import { parseTrace } from "./parseTrace.ts";

/** Where recordings of the user's own lie; they are replayed besides those that ship. */
export function ownTracesFolder(): string {
  return path.join(dataFolder(), "traces");
}

/** `productFolder` holds `media`. */
export async function prepareKeystrokes(
  choice: SuiteChoice,
  productFolder: string,
  ownFolder = ownTracesFolder(),
): Promise<PreparedSuite> {
  refuseSampling(choice);
  const shippedFolder = path.join(productFolder, "media", "benchmark", "traces");
  const shipped = await readTraces(shippedFolder, "");
  const own = await readTraces(ownFolder, "own/");
  const all = [...shipped, ...own];
  if (all.length === 0) throw new AppError("dataset/unavailable", `there is no typing trace in ${shippedFolder}`);
  const tasks = evenlySpread(all, choice.limit);
  const differences = own.length > 0 ? [`${own.length} recorded here`] : [];
  if (tasks.length < all.length) differences.push(`${tasks.length} of ${all.length} traces`);
  return {
    info: {
      id: "keystrokes",
      title: "Keystrokes, simulated typing",
      kind: "typing",
      protocol: protocolName("keystrokes-1 (simulated typing)", differences),
      dataset: {
        name: "keystrokes",
        sha256: sha256(all),
        rows: all.length,
        source: own.length > 0 ? "shipped and local files" : "shipped",
      },
      taskCount: tasks.length,
      promptsSha256: sha256(tasks),
    },
    tasks,
    request: ({ id }) => {
      throw new AppError("request/invalid", `suite keystrokes replays typing and has no request "${id}"`);
    },
    score: null,
    selfTest: null,
    runsCode: false,
  };
}

function refuseSampling(choice: SuiteChoice): void {
  // Repeated without sampling: the same typing meets a machine in another mood.
  checkChoice({ ...choice, repetitions: Math.min(choice.repetitions, 1) });
  if (choice.temperature === 0) return;
  const what = `temperature ${choice.temperature}; typing is replayed with the greedy completions of the editor`;
  throw new AppError("request/invalid", `keystrokes: ${what}`);
}

/** By name, so that they are the same list everywhere. */
async function readTraces(folder: string, idPrefix: string): Promise<readonly ReplayTask[]> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith(".json")).sort();
  return Promise.all(names.map((name) => readTrace(path.join(folder, name), idPrefix)));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unavailable(folder, error);
  }
}

async function readTrace(file: string, idPrefix: string): Promise<ReplayTask> {
  const trace = await readFile(file, "utf8").catch((error: unknown) => {
    throw unavailable(file, error);
  });
  parseTrace(trace, file);
  const id = `${idPrefix}${path.basename(file, ".json")}`;
  return { kind: "replay", id, cluster: id, trace };
}

function unavailable(place: string, error: unknown): AppError {
  return new AppError("dataset/unavailable", `${place} cannot be read: ${(error as Error).message}`, {}, error);
}

function sha256(tasks: readonly ReplayTask[]): string {
  const hash = createHash("sha256");
  for (const { trace } of tasks) hash.update(trace);
  return hash.digest("hex");
}
