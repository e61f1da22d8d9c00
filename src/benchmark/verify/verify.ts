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

/** Checks a record up to `level`; each takes longer than the one before, and means nothing without it. */
export async function verify(
  file: string,
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
  const { record, checks } = await checkWhole(file);
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
  1: "the record is whole and fits itself",
  2: "stored outputs have their scores",
  3: "generations repeat on this machine",
};

/** What a forger could still have done. */
const limits: Readonly<Record<VerifyLevel, string>> = {
  1: "Whoever makes up a whole record passes level 1: level 2 scores its texts again, level 3 has them written again.",
  2: "Whoever makes up texts with their scores passes level 2: level 3 has them written again.",
  3: "Speeds can only be compared: a record that made them up passes.",
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
  const last = levels.at(-1)?.level ?? 1;
  const verdict = holds ? `Verified at level ${last}` : "Not verified";
  const told = wrap(`${verdict}: ${runId ?? "no run"}, ${verifiedAt}, on ${machine}`, width, 0);
  return [...blocks, holds ? `${told}\n${wrap(limits[last], width, 0)}` : told].join("\n\n");
}

function describeCheck({ what, holds, detail, tasks }: LevelResult["checks"][number]): string[] {
  const shown = tasks.slice(0, 20).map((task) => `         ${task}`);
  const more = tasks.length > shown.length ? [`         and ${tasks.length - shown.length} more`] : [];
  return [`  ${holds ? "ok  " : "FAIL"}  ${what}: ${detail}`, ...shown, ...more].map(plain);
}
