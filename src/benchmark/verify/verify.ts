// Checks a bundle, or the folder of a run, at the levels that are asked for.
import { wrap } from "../../common/wrap.ts";
import type { Isolation } from "../../sandbox/sandbox.ts";
import { plain } from "../report/text.ts";
import { checkGenerations, type RepeatDeps } from "./repeat.ts";
import { checkScores, type RescoreDeps, type Sample } from "./rescore.ts";
import { bad, type LevelResult, levelHolds, type Verification, type VerifyLevel, verifyLevels } from "./result.ts";
import { checkWhole } from "./whole.ts";

export interface VerifyDeps extends RescoreDeps, RepeatDeps {
  now(): Date;
  /** The processor and system that verify. */
  readonly machine: string;
}

/** Up to `level`; each takes longer than the one before, and means nothing without it. */
export async function verify(
  folder: string,
  level: VerifyLevel,
  deps: VerifyDeps,
  sample: Sample,
): Promise<Verification> {
  let isolation: Isolation | null = null;
  const createSandbox = async () => {
    const sandbox = await deps.createSandbox();
    isolation = sandbox.isolation;
    return sandbox;
  };
  const parts = { ...deps, createSandbox };
  const { record, checks } = await checkWhole(folder);
  const levels: LevelResult[] = [{ level: 1, checks }];
  for (const next of verifyLevels.filter((each) => each > 1 && each <= level)) {
    if (!record) levels.push({ level: next, checks: [bad("the record can be read", "see level 1")] });
    else
      levels.push({ level: next, checks: await (next === 2 ? checkScores : checkGenerations)(record, parts, sample) });
  }
  return {
    runId: record?.run.runId ?? null,
    verifiedAt: deps.now().toISOString(),
    machine: deps.machine,
    isolation,
    limit: sample.limit,
    levels,
    holds: levels.every(levelHolds),
  };
}

const titles: Readonly<Record<VerifyLevel, string>> = {
  1: "the record is whole and untouched",
  2: "stored outputs have their scores",
  3: "generations repeat on this machine",
};

/** `width`: columns of the terminal. */
export function describeVerification(
  { runId, verifiedAt, machine, levels, holds }: Verification,
  width = Number.POSITIVE_INFINITY,
): string {
  const blocks = levels.map((result) => {
    const head = `Level ${result.level}, ${titles[result.level]}: ${levelHolds(result) ? "holds" : "DOES NOT HOLD"}`;
    const lines = result.checks.flatMap(describeCheck).map((line) => wrap(line, width, 8));
    return [head, ...lines].join("\n");
  });
  const verdict = holds ? `Verified at level ${levels.at(-1)?.level}` : "Not verified";
  const last = wrap(`${verdict}: ${runId ?? "no run"}, ${verifiedAt}, on ${machine}`, width, 0);
  return [...blocks, last].join("\n\n");
}

function describeCheck({ what, holds, detail, tasks }: LevelResult["checks"][number]): string[] {
  const shown = tasks.slice(0, 20).map((task) => `         ${task}`);
  const more = tasks.length > shown.length ? [`         and ${tasks.length - shown.length} more`] : [];
  return [`  ${holds ? "ok  " : "FAIL"}  ${what}: ${detail}`, ...shown, ...more].map(plain);
}
