import path from "node:path";
import { modelFolder } from "./dataFolder.ts";

/** Where the prepared weights of a model may be: beside it, else in Hotpath's own folder. */
export function sidecarFiles(model: string, env?: NodeJS.ProcessEnv): readonly [string, string] {
  const name = `${path.basename(model)}.hotpath`;
  return [path.join(path.dirname(model), name), path.join(modelFolder("sidecars", model, env), name)];
}
