// The engine's log: its stderr is the log file.
import type { Logger } from "../common/logger.ts";

const levels = ["debug", "info", "warn", "error"] as const;
type Level = (typeof levels)[number];

export function createStderrLogger(least: string | undefined): Logger {
  const leastIndex = Math.max(0, levels.indexOf((least ?? "info") as Level));
  const write = (level: Level) => (message: string) => {
    if (levels.indexOf(level) < leastIndex) return;
    process.stderr.write(`${new Date().toISOString()} ${level} ${message.trimEnd()}\n`);
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
