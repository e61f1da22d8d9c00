// How numbers, times and messages are written wherever the user reads them.

export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatSpeed(perSecond: number, unit: string): string {
  return `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} ${unit}`;
}

export function formatPercent(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`;
}

export function formatBytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Local time as 14:05. */
export function clockTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 5);
}

/** Local time as 14:05:09. */
export function clockTimeWithSeconds(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}
