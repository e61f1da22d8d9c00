// Ids and labels of subjects, the same from the command line and from the panel: runs are compared by them.
import path from "node:path";
import type { ModelSpec } from "../../protocol/model.ts";
import type { ModelSubject, ServerApi, ServerSubject, SubjectDefinition } from "../subject.ts";

export function modelSubject(spec: ModelSpec): ModelSubject {
  const name = path.basename(spec.path, ".gguf");
  return { kind: "model", id: idOf(`${name}-${spec.mode}`), label: `${name} (${spec.mode})`, spec };
}

/** Why a server's address must not stand in a record, where all of it is read; null: it may. */
export function secretIn(url: string): string | null {
  const { username, password, search } = new URL(url);
  if (username !== "" || password !== "") return "holds a name or a password, which would stand in the record";
  if (search !== "") return "holds a query, which may be a key and would stand in the record";
  return null;
}

/** `url` must be one. */
export function serverSubject(api: ServerApi, url: string, model: string | null): ServerSubject {
  const { host } = new URL(url);
  const label = model === null ? `${api} at ${host}` : `${model} by ${api} at ${host}`;
  return { kind: "server", id: idOf(model === null ? `${api}-${host}` : `${api}-${model}`), label, api, url, model };
}

/** Two files may have the same name in different folders. */
export function withOwnIds(subjects: readonly SubjectDefinition[]): SubjectDefinition[] {
  const taken = new Set(subjects.map(({ id }) => id));
  const seen = new Set<string>();
  return subjects.map((subject) => {
    if (!seen.has(subject.id)) {
      seen.add(subject.id);
      return subject;
    }
    let count = 2;
    while (taken.has(`${subject.id}-${count}`)) count++;
    const id = `${subject.id}-${count}`;
    taken.add(id);
    return { ...subject, id, label: `${subject.label} ${count}` };
  });
}

function idOf(text: string): string {
  return text.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^-+|-+$/g, "");
}
