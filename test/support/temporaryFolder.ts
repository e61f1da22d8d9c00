import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

/** A fresh folder that goes with the test. Its name is short: socket paths have a limit. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "hp-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
