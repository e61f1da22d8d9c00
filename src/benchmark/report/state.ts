// How far a run is, in words: the same in reports, in the panel and in the terminal.
import type { Left } from "../record/entries.ts";
import type { RunStatus } from "../record/resume.ts";

const words: Readonly<Record<RunStatus, string>> = {
  running: "running",
  complete: "complete",
  cancelled: "cancelled",
  unfinished: "not finished",
};

/** "complete but for 2 failures and 1 answer without a score" */
export function describeState(status: RunStatus, { failures, unscored }: Left): string {
  const left = [
    ...(failures > 0 ? [counted(failures, "failure")] : []),
    ...(unscored > 0 ? [`${counted(unscored, "answer")} without a score`] : []),
  ];
  return status === "complete" && left.length > 0 ? `complete but for ${left.join(" and ")}` : words[status];
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
