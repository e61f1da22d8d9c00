// Makes the plan of a run from what the form of the panel says.

import { statfs } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { RunPlan } from "../../benchmark/run/plan.ts";
import type { ModelSubject, ServerSubject, SubjectDefinition } from "../../benchmark/subject.ts";
import type { SuiteChoice, SuiteId } from "../../benchmark/suite.ts";
import { type Describe, expandSizes } from "../../benchmark/suites/sizes/expandSizes.ts";
import { AppError } from "../../common/errors.ts";
import type { RunDraft, ServerDraft } from "../../panel/protocol.ts";
import type { ModelSpec } from "../../protocol/model.ts";

export interface PlanSources {
  /** Of the settings: device, layers, threads, context. */
  readonly spec: Omit<ModelSpec, "path" | "mode">;
  readonly describe: Describe;
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
  const subjects = withOwnIds([...modelsOf(draft, sources), ...draft.servers.map(serverOf), ...shapes]);
  if (subjects.length === 0) throw new AppError("request/invalid", "no model, server or size was chosen");
  return { subjects, suites: draft.suites.map((id) => suiteOf(id, draft)), completions: draft.completions };
}

function modelsOf({ models, modes }: RunDraft, { spec }: PlanSources): ModelSubject[] {
  return models.flatMap((file) =>
    modes.map((mode): ModelSubject => {
      const name = path.basename(file, ".gguf");
      return {
        kind: "model",
        id: idOf(`${name}-${mode}`),
        label: `${name} (${mode})`,
        spec: { ...spec, path: file, mode },
      };
    }),
  );
}

function serverOf({ api, url, model }: ServerDraft): ServerSubject {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new AppError(
      "request/invalid",
      `"${url}" is not the address of a server; it starts with http:// or https://`,
    );
  }
  const { host, username, password } = new URL(url);
  if (username !== "" || password !== "") {
    throw new AppError(
      "request/invalid",
      `the address at ${host} holds a name or a password, which would stand in the record`,
    );
  }
  const label = model === "" ? `${api} at ${host}` : `${model} by ${api} at ${host}`;
  const id = idOf(model === "" ? `${api}-${host}` : `${api}-${model}`);
  return { kind: "server", id, label, api, url, model: model === "" ? null : model };
}

async function shapesOf({ shapes, modes }: RunDraft, { spec, describe, folder }: PlanSources) {
  if (shapes.length === 0) return [];
  const { bavail, bsize } = await statfs(folder);
  const choice = { shapes, types: [weightType], modes, active: activeShare, spec };
  const sizes = await expandSizes(choice, describe, { memoryBytes: os.totalmem(), diskBytes: bavail * bsize });
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

/** Two files may have the same name in different folders. */
function withOwnIds(subjects: readonly SubjectDefinition[]): SubjectDefinition[] {
  const seen = new Map<string, number>();
  return subjects.map((subject) => {
    const count = (seen.get(subject.id) ?? 0) + 1;
    seen.set(subject.id, count);
    return count === 1 ? subject : { ...subject, id: `${subject.id}-${count}`, label: `${subject.label} ${count}` };
  });
}

function idOf(text: string): string {
  return text.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^-+|-+$/g, "");
}
