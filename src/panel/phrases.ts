// How the panel writes times.
import type { LiveRun, RunEstimate } from "./protocol.ts";

/** 40 s, 5 min, 1 h 20 min. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? "" : ` ${rest} min`}`;
}

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
