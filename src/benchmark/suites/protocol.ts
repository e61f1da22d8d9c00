// What quality suites share: how a choice is checked, how tasks are picked, and what a protocol is called.
import { AppError } from "../../common/errors.ts";
import type { SuiteChoice } from "../suite.ts";

/** Refuses choices that no quality suite can follow. */
export function checkChoice({ id, limit, repetitions, temperature, topP, seed }: SuiteChoice): void {
  const refuse = (what: string) => {
    throw new AppError("request/invalid", `${id}: ${what}`);
  };
  if (limit !== null && !(Number.isSafeInteger(limit) && limit > 0))
    refuse(`a limit of ${limit} tasks; it starts at 1`);
  if (!(Number.isSafeInteger(repetitions) && repetitions > 0)) refuse(`${repetitions} samples; at least 1 is needed`);
  if (!(temperature >= 0 && temperature <= 2)) refuse(`temperature ${temperature} is not between 0 and 2`);
  if (!(topP > 0 && topP <= 1)) refuse(`top-p ${topP} is not above 0 and at most 1`);
  // Each sample adds its number to the seed, and the engine's seeds have 32 bits.
  if (!(Number.isSafeInteger(seed) && seed >= 0 && seed + repetitions <= 2 ** 32)) {
    refuse(`seed ${seed} for ${repetitions} samples does not fit into 32 bits`);
  }
  if (temperature === 0 && repetitions > 1) {
    refuse(`${repetitions} samples at temperature 0 would all be the same; ask for 1, or for a temperature like 0.2`);
  }
}

/** `limit` of the items at equal distances, beginning with the first; all where it is null or there are fewer. */
export function evenlySpread<T>(items: readonly T[], limit: number | null): readonly T[] {
  if (limit === null || limit >= items.length) return items;
  return Array.from({ length: limit }, (_, index) => items[Math.floor((index * items.length) / limit)] as T);
}

/** A protocol as its users know it, or "custom" and what differs from it. */
export function protocolName(protocol: string, differences: readonly string[]): string {
  return differences.length === 0 ? protocol : `custom: ${protocol} with ${differences.join(", ")}`;
}

/** How sampling differs from greedy. */
export function samplingDifferences({ temperature, topP, repetitions }: SuiteChoice): readonly string[] {
  if (temperature === 0) return [];
  return [`temperature ${temperature}`, `top-p ${topP}`, `${repetitions} ${repetitions === 1 ? "sample" : "samples"}`];
}

/** Published numbers are about the published rows. */
export function otherData(isPublished: boolean): readonly string[] {
  return isPublished ? [] : ["other data"];
}
