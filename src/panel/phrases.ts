// How the panel writes times.
import { formatDuration } from "../common/formatDuration.ts";
import type { LiveRun, RunEstimate } from "./protocol.ts";

/** "Roughly 2 min to 12 min." */
export function formatEstimateTime({ leastMs, mostMs }: RunEstimate): string {
  return leastMs === null || mostMs === null ? "" : `Roughly ${formatDuration(leastMs)} to ${formatDuration(mostMs)}.`;
}

/** "12 of 40, about 3 min left" */
export function progressText({ done, total, remainingMs, isPaused }: LiveRun): string {
  const left = isPaused ? "paused" : remainingMs === null ? null : `about ${formatDuration(remainingMs)} left`;
  return [`${done} of ${total}`, ...(left === null ? [] : [left])].join(", ");
}

/** In the reader's own time: "22 Nov 2026, 20:15". */
export function formatStart(iso: string): string {
  const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  return format.format(new Date(iso));
}
