// What a verification found.

import type { Isolation } from "../../sandbox/sandbox.ts";

export const verifyLevels = [1, 2, 3] as const;
export type VerifyLevel = (typeof verifyLevels)[number];

export interface Check {
  /** What was looked at: "every line is as it was written". */
  readonly what: string;
  readonly holds: boolean;
  /** How much was looked at, or what is wrong, with the values; for people. */
  readonly detail: string;
  /** Ids of tasks that differ. */
  readonly tasks: readonly string[];
}

export interface LevelResult {
  readonly level: VerifyLevel;
  readonly checks: readonly Check[];
}

export interface Verification {
  /** null: nothing could be read. */
  readonly runId: string | null;
  readonly verifiedAt: string;
  /** The processor and system it was verified on. */
  readonly machine: string;
  /** What code ran in here, where some ran. */
  readonly isolation: Isolation | null;
  /** Outputs looked at per suite; null: all. */
  readonly limit: number | null;
  readonly levels: readonly LevelResult[];
  /** Every level that was asked for holds. */
  readonly holds: boolean;
}

export function good(what: string, detail: string): Check {
  return { what, holds: true, detail, tasks: [] };
}

export function bad(what: string, detail: string, tasks: readonly string[] = []): Check {
  return { what, holds: false, detail, tasks };
}

export function levelHolds({ checks }: LevelResult): boolean {
  return checks.every(({ holds }) => holds);
}
