// What Hotpath's code costs the extension host of a real editor while a person types.
import { atMost, type Bench, reported } from "./bench.ts";

export interface HostMeasurement {
  readonly longestMs: number;
  /** With the pauses in which the operating system ran something else. */
  readonly longestWithPausesMs: number;
  readonly oursMs: number;
  readonly totalMs: number;
  readonly outcomes: number;
  readonly keys: number;
  readonly lines: number;
}

export const extensionHost: Bench = async ({ host }) => {
  if ("reason" in host) {
    process.stderr.write(`extension host not measured: ${host.reason}\n`);
    return [];
  }
  const { longestMs, longestWithPausesMs, oursMs, totalMs, keys, lines, outcomes } = host;
  const how = `CPU profile of the host, ${keys} keys typed into a file of ${lines} lines, ${outcomes} completion requests`;
  return [
    atMost("longest turn in the extension host", longestMs, "ms", 20, how),
    reported("the same with pauses of the operating system", longestWithPausesMs, "ms", how),
    reported("share of the extension host's time", (oursMs / totalMs) * 100, "%", how),
  ];
};
