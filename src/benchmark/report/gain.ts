// What leaving out weights gains, beside the most that it could.
import type { OutputEntry } from "../record/entries.ts";
import { type Ratio, ratioOf } from "../statistics/pairs.ts";
import type { Method, SubjectFacts } from "../subject.ts";
import { isMeasured, readTimed, type SpeedFigures } from "./speed.ts";

/** Of time per token, against a dense subject of as many parameters. */
export interface Gain {
  /** Its label, or `halfPrecision` when there is none and the bytes of 16 bits per weight are what it is compared with. */
  readonly against: string;
  /** Bytes per token of the other to its own: the most that reading fewer gains where both read equally fast. */
  readonly ceiling: number;
  /** Geometric mean over rounds, or of two typical times where one is computed; null against f16. */
  readonly measured: Ratio | null;
}

export const halfPrecision = "f16";

export interface GainSubject {
  readonly id: string;
  readonly label: string;
  readonly method: Method | null;
  readonly facts: SubjectFacts | null;
  readonly isPart: boolean;
  readonly isComputed: boolean;
  readonly figures: SpeedFigures | null;
  /** That the figures are of. */
  readonly outputs: readonly OutputEntry[];
}

export function gainOf(subject: GainSubject, all: readonly GainSubject[]): Gain | null {
  const parameters = subject.facts?.parameterCount;
  const own = bytesPerToken(subject);
  if (!parameters || own === null || subject.isPart) return null;
  const dense = all.find(
    (other) => other.method === "dense" && !other.isPart && other.facts?.parameterCount === parameters,
  );
  const others = dense && bytesPerToken(dense);
  if (!dense || !others || dense.id === subject.id)
    return { against: halfPrecision, ceiling: (2 * parameters) / own, measured: null };
  const isComputed = subject.isComputed || dense.isComputed;
  return {
    against: dense.label,
    ceiling: others / own,
    measured: isComputed ? ratioOfTypical(dense, subject) : ratioOfRounds(dense.outputs, subject.outputs),
  };
}

function bytesPerToken({ figures, facts }: GainSubject): number | null {
  return figures?.bytesPerToken ?? facts?.fileBytes ?? null;
}

function ratioOfTypical(dense: GainSubject, own: GainSubject): Ratio | null {
  const [before, after] = [dense.figures?.tpotMs, own.figures?.tpotMs];
  return before && after ? { count: after.count, value: before.typical / after.typical, interval: null } : null;
}

/** Answers to the same prompt in the same round were given one after the other. */
function ratioOfRounds(dense: readonly OutputEntry[], own: readonly OutputEntry[]): Ratio | null {
  const keyOf = ({ suite, task, repetition }: OutputEntry) => JSON.stringify([suite, task, repetition]);
  const others = new Map(dense.filter(isMeasured).map((output) => [keyOf(output), readTimed.tpotMs(output)]));
  return ratioOf(
    own.filter(isMeasured).flatMap((output): [number, number][] => {
      const [before, after] = [others.get(keyOf(output)), readTimed.tpotMs(output)];
      return before && after ? [[before, after]] : [];
    }),
  );
}
