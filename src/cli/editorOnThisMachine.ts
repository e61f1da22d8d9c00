import { accessSync, constants } from "node:fs";
import path from "node:path";

const commands = ["code", "code-insiders", "codium"] as const;

/** The command of a desktop VS Code on the PATH. */
export function findEditor(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = (env.PATH ?? "").split(path.delimiter).filter(Boolean);
  const endings = process.platform === "win32" ? [".cmd", ".exe"] : [""];
  return commands.find((command) =>
    folders.some((folder) => endings.some((ending) => isExecutable(path.join(folder, command + ending)))),
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Most folders of the PATH do not hold it.
  }
}
