import { createHash } from "node:crypto";
import type { GenerateTask } from "../suite.ts";

/** `SuiteInfo.promptsSha256`: over the requests as JSON, one per line, in the order of the tasks. */
export function promptsSha256(tasks: readonly GenerateTask[]): string {
  const hash = createHash("sha256");
  for (const { request } of tasks) hash.update(`${JSON.stringify(request)}\n`);
  return hash.digest("hex");
}
