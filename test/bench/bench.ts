// What one measurement is.

export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bound the product promises, and whether this run keeps it; null: only reported. */
  readonly target: string | null;
  readonly isMet: boolean | null;
  /** How it was measured, with the raw spread. */
  readonly how: string;
}

import type { HostMeasurement } from "./extensionHost.ts";

export interface BenchContext {
  readonly root: string;
  /** The native program that drives engine and llama.cpp in turn. */
  readonly benchProgram: string;
  readonly starter: string;
  readonly sparseBenchProgram: string;
  readonly synthProgram: string;
  /** Only cases with this in their names; empty: all. */
  readonly cases: string;
  /** Measured before, in a real editor; or why not. */
  readonly host: HostMeasurement | { readonly reason: string };
}

export type Bench = (context: BenchContext) => Promise<Result[]>;

export function atMost(name: string, value: number, unit: string, limit: number, how: string): Result {
  return { name, value, unit, target: `at most ${limit} ${unit}`, isMet: value <= limit, how };
}

export function atLeast(name: string, value: number, unit: string, limit: number, how: string): Result {
  return { name, value, unit, target: `at least ${limit.toFixed(2)} ${unit}`, isMet: value >= limit, how };
}

export function reported(name: string, value: number, unit: string, how: string): Result {
  return { name, value, unit, target: null, isMet: null, how };
}

export function tableRow({ name, value, unit, target, isMet, how }: Result): string {
  const verdict = target === null ? "" : `${target}: ${isMet ? "met" : "MISSED"}`;
  return `| ${name} | ${value.toFixed(Math.abs(value) < 10 ? 2 : 0)} ${unit} | ${verdict} | ${how} |`;
}
