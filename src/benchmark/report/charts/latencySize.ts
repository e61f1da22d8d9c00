// The main picture: latency against model size, one line per method, mode and family of models.

import { paretoFront } from "../../statistics/pareto.ts";
import { groupBy } from "../group.ts";
import { formatCount, formatEstimate, formatLatency } from "./numbers.ts";
import {
  base,
  bounds,
  type ChartOption,
  type ChartSeries,
  errorBars,
  frontLine,
  latencyAxis,
  legendAndGrid,
  logAxis,
  pointStyle,
  seriesLegend,
} from "./parts.ts";
import type { ChartPoint, ChartSize, Estimate } from "./points.ts";
import { type PointSeries, seriesName, seriesOf } from "./series.ts";
import type { ChartTheme } from "./theme.ts";

export interface SizedPoint extends ChartPoint {
  readonly parameterCount: number;
  readonly latencyMs: Estimate;
}

/** Those that have both coordinates, by size. */
export function sizedPoints(points: readonly ChartPoint[]): SizedPoint[] {
  const isSized = (point: ChartPoint): point is SizedPoint =>
    point.parameterCount !== null && point.parameterCount > 0 && point.latencyMs !== null && point.latencyMs.value > 0;
  return points.filter(isSized).toSorted((a, b) => a.parameterCount - b.parameterCount);
}

/** Of two models the larger one is worth more, so the front runs along the largest that is as fast. */
export function sizeFront(points: readonly ChartPoint[]): SizedPoint[] {
  return paretoFront(
    sizedPoints(points),
    (point) => point.latencyMs.value,
    (point) => point.parameterCount,
  );
}

/** `metric` names the vertical axis: "End to end at 25 tokens". At least one point must have both coordinates. */
export function latencySizeOption(
  points: readonly ChartPoint[],
  metric: string,
  theme: ChartTheme,
  size: ChartSize,
): ChartOption {
  const sized = sizedPoints(points);
  const drawn = seriesOf(sized);
  const series = drawn.flatMap((own) => drawSeries(own, theme));
  const front = sizeFront(points).toSorted((a, b) => a.parameterCount - b.parameterCount);
  const hasFront = front.length > 1;
  if (hasFront)
    series.push(
      frontLine(
        front.map((point) => [point.parameterCount, point.latencyMs.value]),
        theme,
      ),
    );
  const room = legendAndGrid(seriesLegend(drawn, hasFront), size, theme);
  const sizes = sized.map((point) => point.parameterCount);
  const latencies = sized.flatMap((point) => bounds(point.latencyMs));
  return {
    ...base(theme),
    legend: room.legend,
    grid: room.grid,
    xAxis: logAxis(sizes, { name: "Parameters", format: formatCount, theme, isVertical: false }, size),
    yAxis: latencyAxis(latencies, metric, theme, true, size),
    series,
  };
}

function drawSeries(
  { name, method, symbol, lineType, points: own }: PointSeries<SizedPoint>,
  theme: ChartTheme,
): ChartSeries[] {
  const color = theme.methods[method];
  const bars = own.map(({ parameterCount, latencyMs }) => ({
    x: parameterCount,
    y: latencyMs.value,
    xBounds: [parameterCount, parameterCount] as const,
    yBounds: bounds(latencyMs),
  }));
  const lines = linesOf(own).map((joined) => ({
    type: "line" as const,
    name,
    symbol,
    symbolSize: 10,
    showAllSymbol: true,
    lineStyle: { color, width: 1.5, type: lineType },
    itemStyle: { color },
    z: 3,
    data: joined.map((point) => ({
      name: point.id,
      value: [point.parameterCount, point.latencyMs.value],
      itemStyle: pointStyle(color, point.isComputed, theme),
    })),
    tooltip: { formatter: ({ dataIndex }: { dataIndex: number }) => describe(joined[dataIndex]) },
  }));
  return [...lines, errorBars(name, color, bars)];
}

/** What one line joins. Models of several families, or of servers, differ in more than their size. */
function linesOf(points: readonly SizedPoint[]): SizedPoint[][] {
  return [...groupBy(points, ({ id, family }) => JSON.stringify(family === null ? { id } : { family })).values()];
}

function describe(point: SizedPoint | undefined): string {
  if (!point) return "";
  const latency = formatEstimate(point.latencyMs, formatLatency);
  return `${point.label}\n${seriesName(point)}, ${formatCount(point.parameterCount)} parameters\n${latency}${point.isComputed ? "\ncomputed" : ""}`;
}
