// Who is asked what, and in which order.
import { AppError } from "../../common/errors.ts";
import type { SubjectDefinition } from "../subject.ts";
import type { SuiteId, SuiteInfo, Task } from "../suite.ts";
import type { RunPlan } from "./plan.ts";

/** Shapes without a trained model behind them have a speed and nothing else. */
export function isFor(suite: SuiteId, subject: SubjectDefinition): boolean {
  if (suite === "sizes") return subject.kind === "synthetic";
  if (suite === "keystrokes") return subject.kind === "model";
  return subject.kind !== "synthetic";
}

/** How the warning begins that a subject cannot be asked by a suite; by this its record is known not to lack that. */
export const leftOut = (suite: SuiteId) => `It is left out of ${suite}:`;

/** No interval gains from more, and what is left of so many is still counted in no time. */
const mostRepetitions = 1000;

/** Throws `request/invalid` for a plan of which nothing would be measured, or whose record could not tell by whom. */
export function checkPlan({ subjects, suites }: RunPlan): void {
  const refuse = (message: string) => {
    throw new AppError("request/invalid", message);
  };
  for (const ids of [subjects.map(({ id }) => id), suites.map(({ id }) => id)]) {
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) refuse(`the plan has "${twice}" twice`);
  }
  for (const { id, repetitions, limit } of suites) {
    if (repetitions < 1 || repetitions > mostRepetitions)
      refuse(`${id}: ${repetitions} repetitions; it must be 1 to ${mostRepetitions}`);
    if (limit === 0) refuse(`${id}: a limit of 0 tasks; it starts at 1`);
  }
  if (suites.some(({ id }) => subjects.some((subject) => isFor(id, subject)))) return;
  const asked = suites.map(({ id }) => id).join(", ") || "no suite";
  const whom = subjects.map(({ label }) => label).join(", ") || "no subject";
  const message = `nothing would be measured by ${asked} on ${whom}: "sizes" is for shapes, "keystrokes" for model files, and the others are for model files and servers`;
  refuse(message);
}

/**
 * Subjects that are open at the same time. Shapes come one by one, as together they would fill memory and disk; each is
 * open in all its modes, and in parts of it, which are compared.
 */
export function wavesOf(subjects: readonly SubjectDefinition[]): SubjectDefinition[][] {
  const waves = new Map<string, SubjectDefinition[]>();
  for (const subject of subjects) {
    const key = subject.kind === "synthetic" ? `${subject.shape} ${subject.options.type}` : "";
    waves.set(key, [...(waves.get(key) ?? []), subject]);
  }
  return [...waves.values()];
}

/** Speed first: the machine has done nothing else yet, and no sandbox runs beside it. */
const order: readonly SuiteInfo["kind"][] = ["speed", "typing", "quality"];

export function inOrder<T extends { readonly info: Pick<SuiteInfo, "kind"> }>(suites: readonly T[]): T[] {
  return [...suites].sort((a, b) => order.indexOf(a.info.kind) - order.indexOf(b.info.kind));
}

export interface Turn<S> {
  readonly task: Task;
  readonly repetition: number;
  readonly subject: S;
}

export interface Rounds<S> {
  readonly kind: SuiteInfo["kind"];
  readonly tasks: readonly Task[];
  readonly repetitions: number;
  readonly subjects: readonly S[];
  /** False: there is room for one at a time, and each change costs loading it. */
  readonly isTogether: boolean;
}

/**
 * A-B-A-B: every task goes to all subjects in turn before the next, and all tasks are gone through before the next round,
 * so that a machine that grows hot or busy does so for all. One at a time, subjects take turns by rounds where speed is
 * measured, and not at all where it is not.
 */
export function* turns<S>({ kind, tasks, repetitions, subjects, isTogether }: Rounds<S>): Generator<Turn<S>> {
  const rounds = Array.from({ length: repetitions }, (_, repetition) => repetition);
  if (isTogether) {
    for (const repetition of rounds)
      for (const task of tasks) for (const subject of subjects) yield { task, repetition, subject };
  } else if (kind === "quality") {
    for (const subject of subjects)
      for (const repetition of rounds) for (const task of tasks) yield { task, repetition, subject };
  } else {
    for (const repetition of rounds)
      for (const subject of subjects) for (const task of tasks) yield { task, repetition, subject };
  }
}
