import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import os from "node:os";
import { AppError } from "./errors.ts";

/**
 * Makes the folder, or checks that it is ours alone: in a shared temp folder somebody else may have made it first, and
 * whoever owns it could pose as the engine and be sent source code.
 * Windows keeps per-user folders private by itself.
 */
export function ensurePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (process.platform === "win32") return;
  const stat = lstatSync(folder);
  const { uid } = os.userInfo();
  if (!stat.isDirectory() || stat.uid !== uid) {
    throw new AppError(
      "engine/start-failed",
      `${folder} belongs to user ${stat.uid}, not to ${uid}; set HOTPATH_RUNTIME_DIR`,
      {
        owner: stat.uid,
        user: uid,
      },
    );
  }
  if ((stat.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}
