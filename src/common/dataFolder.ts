import os from "node:os";
import path from "node:path";

/** Where Hotpath keeps what should outlive a session. `HOTPATH_DATA_DIR` moves it, for tests. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOTPATH_DATA_DIR) return env.HOTPATH_DATA_DIR;
  if (process.platform === "win32") return path.join(env.LOCALAPPDATA ?? os.homedir(), "hotpath");
  if (process.platform === "darwin") return path.join(os.homedir(), "Library", "Application Support", "hotpath");
  return path.join(env.XDG_DATA_HOME ?? path.join(os.homedir(), ".local", "share"), "hotpath");
}
