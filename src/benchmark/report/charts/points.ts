// What the charts draw, apart from how a run was recorded and summed up.
import type { Method } from "../../subject.ts";

/** A figure and the interval it lies in; an end that is not known is null. */
export interface Estimate {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Modes of hot/cold are series of their own; null for other methods. */
export type SeriesMode = "exact" | "predicted" | "threshold" | null;

/** A subject as a point of the pictures. */
export interface ChartPoint {
  /** Of the subject. */
  readonly id: string;
  readonly label: string;
  readonly method: Method;
  readonly mode: SeriesMode;
  /** Only points of one family are joined by a line; null: a point of its own. */
  readonly family: string | null;
  readonly parameterCount: number | null;
  readonly latencyMs: Estimate | null;
  /** Share of tasks solved, 0 to 1. */
  readonly quality: Estimate | null;
  /** Computed from measured parts; drawn hollow. */
  readonly isComputed: boolean;
}

/** The latencies of one subject with one prompt, one by one. */
export interface SampleSeries {
  readonly id: string;
  readonly label: string;
  readonly method: Method;
  readonly mode: SeriesMode;
  readonly samples: readonly { readonly atMs: number; readonly latencyMs: number }[];
}

/** One subject in two runs. */
export interface ComparedPoint {
  readonly id: string;
  readonly label: string;
  readonly method: Method;
  readonly before: Estimate;
  readonly after: Estimate;
}

export interface ChartSize {
  readonly width: number;
  readonly height: number;
}
