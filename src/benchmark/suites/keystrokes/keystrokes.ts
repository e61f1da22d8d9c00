// Recorded typing, replayed: how often there is a suggestion, how soon, and how much of it was typed anyway.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../../common/errors.ts";
import type { PreparedSuite, ReplayTask, SuiteChoice } from "../../suite.ts";
import { evenlySpread, protocolName } from "../protocol.ts";
import { parseTrace } from "./parseTrace.ts";

/** `productFolder` holds `media`. */
export async function prepareKeystrokes(choice: SuiteChoice, productFolder: string): Promise<PreparedSuite> {
  if (choice.temperature !== 0) {
    const message = `keystrokes: temperature ${choice.temperature}; typing is replayed with the greedy completions of the editor`;
    throw new AppError("request/invalid", message);
  }
  const all = await readTraces(path.join(productFolder, "media", "benchmark", "traces"));
  const tasks = evenlySpread(all, choice.limit);
  const isPart = tasks.length < all.length;
  return {
    info: {
      id: "keystrokes",
      title: "Keystrokes",
      kind: "typing",
      protocol: protocolName("keystrokes-1", isPart ? [`${tasks.length} of ${all.length} traces`] : []),
      dataset: { name: "keystrokes", sha256: sha256(all), rows: all.length, source: "shipped" },
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

/** By name, so that they are the same list everywhere. */
async function readTraces(folder: string): Promise<readonly ReplayTask[]> {
  try {
    const files = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
    return await Promise.all(files.map((name) => readTrace(path.join(folder, name))));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("dataset/unavailable", `${folder} cannot be read: ${(error as Error).message}`, {}, error);
  }
}

async function readTrace(file: string): Promise<ReplayTask> {
  const trace = await readFile(file, "utf8");
  const { name } = parseTrace(trace, file);
  return { kind: "replay", id: name, cluster: name, trace };
}

function sha256(tasks: readonly ReplayTask[]): string {
  const hash = createHash("sha256");
  for (const { trace } of tasks) hash.update(trace);
  return hash.digest("hex");
}
