// The main picture: latency against model size, one line per method.

import { paretoFront } from "../../statistics/pareto.ts";
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
  methodLegend,
  pointStyle,
} from "./parts.ts";
import type { ChartPoint, ChartSize, Estimate } from "./points.ts";
import { type ChartTheme, methodOrder, methodSymbols } from "./theme.ts";

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
  const methods = methodOrder.filter((method) => sized.some((point) => point.method === method));
  const series = methods.flatMap((method) => methodSeries(method, sized, theme));
  const front = sizeFront(points).toSorted((a, b) => a.parameterCount - b.parameterCount);
  const hasFront = front.length > 1;
  if (hasFront)
    series.push(
      frontLine(
        front.map((point) => [point.parameterCount, point.latencyMs.value]),
        theme,
      ),
    );
  const room = legendAndGrid(methodLegend(methods, hasFront), size, theme);
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

function methodSeries(method: ChartPoint["method"], sized: readonly SizedPoint[], theme: ChartTheme): ChartSeries[] {
  const own = sized.filter((point) => point.method === method);
  const color = theme.methods[method];
  const bars = own.map(({ parameterCount, latencyMs }) => ({
    x: parameterCount,
    y: latencyMs.value,
    xBounds: [parameterCount, parameterCount] as const,
    yBounds: bounds(latencyMs),
  }));
  return [
    {
      type: "line",
      name: method,
      symbol: methodSymbols[method],
      symbolSize: 10,
      showAllSymbol: true,
      lineStyle: { color, width: 1.5 },
      itemStyle: { color },
      z: 3,
      data: own.map((point) => ({
        name: point.id,
        value: [point.parameterCount, point.latencyMs.value],
        itemStyle: pointStyle(color, point.isComputed, theme),
      })),
      tooltip: { formatter: ({ dataIndex }) => describe(own[dataIndex]) },
    },
    errorBars(method, color, bars),
  ];
}

function describe(point: SizedPoint | undefined): string {
  if (!point) return "";
  const latency = formatEstimate(point.latencyMs, formatLatency);
  return `${point.label}\n${point.method}, ${formatCount(point.parameterCount)} parameters\n${latency}${point.isComputed ? "\ncomputed" : ""}`;
}
