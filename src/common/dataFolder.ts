import { createHash } from "node:crypto";
import os from "node:os";
import path from "node:path";

/** Where Hotpath keeps what should outlive a session. `HOTPATH_DATA_DIR` moves it, for tests. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOTPATH_DATA_DIR) return env.HOTPATH_DATA_DIR;
  if (process.platform === "win32") return path.join(env.LOCALAPPDATA ?? os.homedir(), "hotpath");
  if (process.platform === "darwin") return path.join(os.homedir(), "Library", "Application Support", "hotpath");
  return path.join(env.XDG_DATA_HOME ?? path.join(os.homedir(), ".local", "share"), "hotpath");
}

/** Where in Hotpath's folder files of this kind about a model lie: models of one name lie in many folders. */
export function modelFolder(kind: "profiles" | "sidecars", model: string, env?: NodeJS.ProcessEnv): string {
  const folder = createHash("sha256").update(path.dirname(model)).digest("hex").slice(0, 16);
  return path.join(dataFolder(env), kind, folder);
}
