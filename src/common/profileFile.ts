import path from "node:path";
import { modelFolder } from "./dataFolder.ts";

/** Where the engine keeps which neurons of a model its user's code makes active. */
export function profileFile(model: string, env?: NodeJS.ProcessEnv): string {
  return path.join(modelFolder("profiles", model, env), `${path.basename(model)}.profile`);
}
