// The command that does a run again.
import type { RunRecord } from "../record/entries.ts";
import type { ModelSubject } from "../subject.ts";

/**
 * Arguments after `hotpath`, beside the run's plan.json; models by their file names alone, as their folders mean nothing
 * elsewhere. `starter`: file name of the model that ships with Hotpath, which needs no naming.
 */
export function benchArgs({ run, entries }: RunRecord, starter: string): string[] {
  const models = run.plan.subjects.filter((subject) => subject.kind === "model").map(fileName);
  const isolation = entries.findLast((entry) => entry.type === "isolation");
  const needsData = entries.some(
    (entry) => entry.type === "suite" && entry.info.dataset !== null && entry.info.dataset.source !== "shipped",
  );
  return [
    ...["bench", "--plan", "plan.json"],
    ...[...new Set(models)].filter((name) => name !== starter).flatMap((name) => ["--model", name]),
    ...(needsData ? ["--fetch"] : []),
    ...(isolation ? ["--allow-code"] : []),
    ...(isolation?.consent === "reduced" ? ["--allow-reduced"] : []),
  ];
}

/** For a POSIX shell. */
export function quoted(argument: string): string {
  return /^[\w./:=,@#%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

export function fileName(model: ModelSubject): string {
  return model.spec.path.split(/[\\/]/).at(-1) ?? "";
}
