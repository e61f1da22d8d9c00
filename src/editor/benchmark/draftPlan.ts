// Makes the plan of a run from what the form of the panel says.
import type { RunPlan } from "../../benchmark/run/plan.ts";
import type { ServerSubject } from "../../benchmark/subject.ts";
import { modelSubject, secretIn, serverSubject, withOwnIds } from "../../benchmark/subjects/naming.ts";
import type { SuiteChoice, SuiteId } from "../../benchmark/suite.ts";
import { type Describe, expandSizes } from "../../benchmark/suites/sizes/expandSizes.ts";
import { roomHere } from "../../benchmark/suites/sizes/room.ts";
import { AppError } from "../../common/errors.ts";
import type { RunDraft, ServerDraft } from "../../panel/protocol.ts";
import type { ModelSpec } from "../../protocol/model.ts";

export interface PlanSources {
  /** Of the settings: device, layers, threads, context. */
  readonly spec: Omit<ModelSpec, "path" | "mode">;
  readonly describe: Describe;
  /** Free bytes on GPUs; none when not given. */
  readonly videoMemory?: () => Promise<number>;
  /** There, and on the disk that synthetic weights are written to. */
  readonly folder: string;
}

const speedSuites: ReadonlySet<SuiteId> = new Set(["latency", "sizes", "keystrokes"]);
/** In the middle of what models made for it show (ProSparse: 0.11 of the neurons of Llama 2 7B). */
const activeShare = 0.11;
const weightType = "q4_0";

/** Rejects with `request/invalid`, or with `model/too-large` when not even a part of a size fits here. */
export async function planOf(draft: RunDraft, sources: PlanSources): Promise<RunPlan> {
  const shapes = await shapesOf(draft, sources);
  const { models, modes, servers } = draft;
  const files = models.flatMap((file) => modes.map((mode) => modelSubject({ ...sources.spec, path: file, mode })));
  const subjects = withOwnIds([...files, ...servers.map(serverOf), ...shapes]);
  if (subjects.length === 0) throw new AppError("request/invalid", "no model, server or size was chosen");
  return { subjects, suites: draft.suites.map((id) => suiteOf(id, draft)), completions: draft.completions };
}

function serverOf({ api, url, model }: ServerDraft): ServerSubject {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new AppError(
      "request/invalid",
      `"${url}" is not the address of a server; it starts with http:// or https://`,
    );
  }
  const secret = secretIn(url);
  if (secret !== null) throw new AppError("request/invalid", `the address at ${new URL(url).host} ${secret}`);
  return serverSubject(api, url, model === "" ? null : model);
}

async function shapesOf({ shapes, modes }: RunDraft, { spec, describe, folder, videoMemory }: PlanSources) {
  if (shapes.length === 0) return [];
  const videoBytes = spec.device === "cpu" ? 0 : ((await videoMemory?.()) ?? 0);
  const choice = { shapes, types: [weightType], modes, active: activeShare, spec };
  const sizes = await expandSizes(choice, describe, await roomHere(folder, videoBytes));
  if (sizes.left.length > 0) {
    throw new AppError("model/too-large", `not even a few layers of ${sizes.left.join(", ")} fit on this machine`);
  }
  return sizes.subjects;
}

function suiteOf(id: SuiteId, { limit, rounds }: RunDraft): SuiteChoice {
  const isSpeed = speedSuites.has(id);
  return {
    id,
    limit: isSpeed ? null : limit,
    repetitions: isSpeed ? rounds : 1,
    temperature: 0,
    topP: 1,
    seed: 1,
  };
}
