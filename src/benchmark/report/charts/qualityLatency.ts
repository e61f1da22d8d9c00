// Quality against latency: what a slower model buys.

import { paretoFront } from "../../statistics/pareto.ts";
import { formatEstimate, formatLatency, formatShare } from "./numbers.ts";
import {
  base,
  bounds,
  type ChartOption,
  type ChartSeries,
  errorBars,
  frontLine,
  latencyAxis,
  legendAndGrid,
  linearAxis,
  pointStyle,
  seriesLegend,
} from "./parts.ts";
import type { ChartPoint, ChartSize, Estimate } from "./points.ts";
import { type PointSeries, seriesName, seriesOf } from "./series.ts";
import type { ChartTheme } from "./theme.ts";

export interface RatedPoint extends ChartPoint {
  readonly latencyMs: Estimate;
  readonly quality: Estimate;
}

/** Those that have both coordinates. */
export function ratedPoints(points: readonly ChartPoint[]): RatedPoint[] {
  const isRated = (point: ChartPoint): point is RatedPoint =>
    point.quality !== null && point.latencyMs !== null && point.latencyMs.value > 0;
  return points.filter(isRated).toSorted((a, b) => a.latencyMs.value - b.latencyMs.value);
}

export function qualityFront(points: readonly ChartPoint[]): RatedPoint[] {
  return paretoFront(
    ratedPoints(points),
    (point) => point.latencyMs.value,
    (point) => point.quality.value,
  );
}

/** `quality` and `metric` name the axes. At least one point must have both coordinates. */
export function qualityLatencyOption(
  points: readonly ChartPoint[],
  { quality, metric }: { readonly quality: string; readonly metric: string },
  theme: ChartTheme,
  size: ChartSize,
): ChartOption {
  const rated = ratedPoints(points);
  const drawn = seriesOf(rated);
  const series = drawn.flatMap((own) => drawSeries(own, theme));
  const front = qualityFront(points);
  const hasFront = front.length > 1;
  if (hasFront)
    series.push(
      frontLine(
        front.map((point) => [point.latencyMs.value, point.quality.value]),
        theme,
      ),
    );
  const room = legendAndGrid(seriesLegend(drawn, hasFront), size, theme);
  const best = Math.max(...rated.map((point) => bounds(point.quality)[1]));
  // A whole step of the axis: an end between two steps would be written close to the last of them.
  const steps = best > 0.2 ? 5 : 10;
  const top = Math.min(1, Math.ceil(best * steps + 0.01) / steps);
  const format = (share: number) => `${Math.round(share * 100)} %`;
  return {
    ...base(theme),
    legend: room.legend,
    grid: room.grid,
    xAxis: latencyAxis(
      rated.flatMap((point) => bounds(point.latencyMs)),
      metric,
      theme,
      false,
      size,
    ),
    yAxis: linearAxis({ min: 0, max: top }, { name: quality, format, theme, isVertical: true }),
    series,
  };
}

function drawSeries({ name, method, symbol, points: own }: PointSeries<RatedPoint>, theme: ChartTheme): ChartSeries[] {
  const color = theme.methods[method];
  const bars = own.map(({ latencyMs, quality }) => ({
    x: latencyMs.value,
    y: quality.value,
    xBounds: bounds(latencyMs),
    yBounds: bounds(quality),
  }));
  return [
    {
      type: "scatter",
      name,
      symbol,
      symbolSize: 11,
      itemStyle: { color, opacity: 1 },
      z: 3,
      data: own.map((point) => ({
        name: point.id,
        value: [point.latencyMs.value, point.quality.value],
        itemStyle: pointStyle(color, point.isComputed, theme),
      })),
      tooltip: { formatter: ({ dataIndex }) => describe(own[dataIndex]) },
    },
    errorBars(name, color, bars),
  ];
}

function describe(point: RatedPoint | undefined): string {
  if (!point) return "";
  const quality = formatEstimate(point.quality, formatShare);
  return `${point.label}\n${seriesName(point)}\n${quality}\n${formatEstimate(point.latencyMs, formatLatency)}`;
}
