// Ids and labels of subjects, the same from the command line and from the panel: runs are compared by them.
import path from "node:path";
import type { ModelSpec } from "../../protocol/model.ts";
import type { ModelSubject, ServerApi, ServerSubject, SubjectDefinition } from "../subject.ts";

export function modelSubject(spec: ModelSpec): ModelSubject {
  const name = path.basename(spec.path, ".gguf");
  return { kind: "model", id: idOf(`${name}-${spec.mode}`), label: `${name} (${spec.mode})`, spec };
}

/** `url` must be one. */
export function serverSubject(api: ServerApi, url: string, model: string | null): ServerSubject {
  const { host } = new URL(url);
  const label = model === null ? `${api} at ${host}` : `${model} by ${api} at ${host}`;
  return { kind: "server", id: idOf(model === null ? `${api}-${host}` : `${api}-${model}`), label, api, url, model };
}

/** Two files may have the same name in different folders. */
export function withOwnIds(subjects: readonly SubjectDefinition[]): SubjectDefinition[] {
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
