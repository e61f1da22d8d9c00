import { createHash } from "node:crypto";
import path from "node:path";
import { dataFolder } from "./dataFolder.ts";

/** Where the prepared weights of a model may be: beside it, else in Hotpath's own folder. */
export function sidecarFiles(model: string, env: NodeJS.ProcessEnv = process.env): readonly [string, string] {
  const name = `${path.basename(model)}.hotpath`;
  // Models of one name lie in many folders.
  const folder = createHash("sha256").update(path.dirname(model)).digest("hex").slice(0, 16);
  return [path.join(path.dirname(model), name), path.join(dataFolder(env), "sidecars", folder, name)];
}
