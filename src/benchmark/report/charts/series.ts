// What belongs together in a picture: one series per method and mode.
import type { Method } from "../../subject.ts";
import type { SeriesMode } from "./points.ts";
import { methodOrder, methodSymbols, modeOrder, modeSymbols } from "./theme.ts";

interface Drawn {
  readonly method: Method;
  readonly mode: SeriesMode;
}

export interface PointSeries<T> {
  /** "dense", "hot/cold, exact" */
  readonly name: string;
  readonly method: Method;
  readonly symbol: string;
  readonly lineType: "solid" | "dashed" | "dotted";
  readonly points: readonly T[];
}

const lineTypes = { exact: "solid", predicted: "dashed", threshold: "dotted" } as const;

/** In the order of legends; without series that would be empty. */
export function seriesOf<T extends Drawn>(points: readonly T[]): PointSeries<T>[] {
  const all = methodOrder.flatMap((method) =>
    modeOrder.map((mode) => ({
      name: seriesName({ method, mode }),
      method,
      symbol: seriesSymbol({ method, mode }),
      lineType: mode ? lineTypes[mode] : ("solid" as const),
      points: points.filter((point) => point.method === method && point.mode === mode),
    })),
  );
  return all.filter((series) => series.points.length > 0);
}

export function seriesName({ method, mode }: Drawn): string {
  return mode ? `${method}, ${mode}` : method;
}

export function seriesSymbol({ method, mode }: Drawn): string {
  return mode ? modeSymbols[mode] : methodSymbols[method];
}
