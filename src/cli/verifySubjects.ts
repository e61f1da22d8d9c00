// Which subjects of a record may be asked again. Records come from strangers: what they name is neither opened nor asked
// unless the user names it, too.
import { statSync } from "node:fs";
import path from "node:path";
import type { SubjectDefinition, SubjectFacts } from "../benchmark/subject.ts";
import { AppError } from "../common/errors.ts";

export interface Allowed {
  /** Files that may be models of the record: those of --model, and the starter model. */
  readonly models: readonly string[];
  /** Of --server. */
  readonly servers: readonly string[];
  hash(file: string): Promise<string>;
  /** A file here that is known to have a hash. */
  known(sha256: string): Promise<string | null>;
}

/** The definition with the path that its model has here. Rejects for what was not allowed. */
export async function allowedSubject(
  definition: SubjectDefinition,
  { sha256 }: SubjectFacts,
  allowed: Allowed,
): Promise<SubjectDefinition> {
  switch (definition.kind) {
    case "synthetic":
      return definition;
    case "server": {
      const { url } = definition;
      if (allowed.servers.some((server) => isSameAddress(server, url))) return definition;
      throw new AppError("server/failed", `it is asked only when you name it: --server ${url}`, { url });
    }
    case "model": {
      const { spec } = definition;
      const found = sha256 === null ? null : await modelOf(sha256, allowed);
      if (found !== null) return { ...definition, spec: { ...spec, path: found } };
      const name = path.basename(spec.path);
      throw new AppError(
        "model/not-found",
        `no file here has the hash ${sha256} of ${name}; name it with --model FILE`,
      );
    }
  }
}

async function modelOf(sha256: string, { models, hash, known }: Allowed): Promise<string | null> {
  for (const file of models) {
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
    if (isFile && (await hash(file)) === sha256) return file;
  }
  return known(sha256);
}

function isSameAddress(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href;
}
