// Axes, legends and error bars that several charts share.
import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from "echarts/charts";
import type { GridComponentOption, LegendComponentOption, TooltipComponentOption } from "echarts/components";
import type { ComposeOption } from "echarts/core";
import { formatLatency, logRange, logTicks } from "./numbers.ts";
import type { ChartSize, Estimate } from "./points.ts";
import type { PointSeries } from "./series.ts";
import type { ChartTheme } from "./theme.ts";

export type ChartOption = ComposeOption<
  | CustomSeriesOption
  | LineSeriesOption
  | ScatterSeriesOption
  | GridComponentOption
  | LegendComponentOption
  | TooltipComponentOption
>;
export type ChartSeries = CustomSeriesOption | LineSeriesOption | ScatterSeriesOption;

export const frontName = "Pareto front";

/** Narrower ones, as in a side bar, get smaller margins and fewer ticks. */
const narrowWidth = 420;

/** What all charts have: no movement, the theme's text, hints that are drawn and not HTML. */
export function base(theme: ChartTheme): ChartOption {
  return {
    animation: false,
    backgroundColor: theme.background,
    textStyle: { fontFamily: theme.fontFamily, color: theme.foreground },
    tooltip: {
      // Model names come from files and servers: as drawn text they cannot be markup, and no inline style is needed.
      renderMode: "richText",
      trigger: "item",
      confine: true,
      backgroundColor: theme.background,
      borderColor: theme.muted,
      textStyle: { color: theme.foreground, fontFamily: theme.fontFamily, fontSize: 12 },
    },
  };
}

export interface LegendEntry {
  readonly name: string;
  readonly icon: string;
}

/** These series, and the front where one is drawn. */
export function seriesLegend(
  series: readonly Pick<PointSeries<unknown>, "name" | "symbol">[],
  hasFront: boolean,
): LegendEntry[] {
  const entries = series.map(({ name, symbol }) => ({ name, icon: symbol }));
  return hasFront ? [...entries, { name: frontName, icon: "path://M0,4h12v4h-12z" }] : entries;
}

/** The legend at the top, in as many rows as it takes; the room below it for the axes, which starts at `top`. */
export function legendAndGrid(entries: readonly LegendEntry[], size: ChartSize, theme: ChartTheme) {
  const rowHeight = 25;
  let rows = 1;
  let used = 0;
  for (const { name } of entries) {
    const width = 44 + name.length * 7;
    if (used > 0 && used + width > size.width - 16) {
      rows++;
      used = 0;
    }
    used += width;
  }
  const isNarrow = size.width < narrowWidth;
  const top = 9 + rows * rowHeight;
  return {
    top,
    legend: {
      data: entries.map(({ name, icon }) => ({ name, icon })),
      top: 4,
      left: 8,
      right: 8,
      itemWidth: 12,
      itemHeight: 11,
      itemGap: 14,
      textStyle: { color: theme.foreground, fontFamily: theme.fontFamily },
      inactiveColor: theme.gridLine,
      borderColor: theme.gridLine,
    },
    grid: { top, left: isNarrow ? 52 : 64, right: isNarrow ? 14 : 28, bottom: 48 },
  };
}

interface AxisOptions {
  readonly name: string;
  readonly format: (value: number) => string;
  readonly theme: ChartTheme;
  readonly isVertical: boolean;
}

export function logAxis(values: readonly number[], { name, format, theme, isVertical }: AxisOptions, size: ChartSize) {
  const { min, max } = logRange(values);
  const all = logTicks(min, max);
  const ticks =
    size.width < narrowWidth && !isVertical && all.length > 5 ? all.filter((_, index) => index % 2 === 0) : all;
  return {
    type: "log" as const,
    min,
    max,
    ...axisLook(name, theme, isVertical),
    axisLabel: { color: theme.foreground, formatter: format, customValues: ticks, hideOverlap: true },
    axisTick: { customValues: ticks },
  };
}

export function linearAxis(range: { min: number; max: number }, { name, format, theme, isVertical }: AxisOptions) {
  return {
    type: "value" as const,
    ...range,
    ...axisLook(name, theme, isVertical),
    axisLabel: { color: theme.foreground, formatter: format, hideOverlap: true },
  };
}

/** Names on the vertical axis, in this order from the top, cut to the room at the left. */
export function nameAxis(names: readonly string[], theme: ChartTheme, size: ChartSize) {
  const width = nameWidth(size);
  return {
    type: "category" as const,
    data: [...names],
    inverse: true,
    axisLine: { lineStyle: { color: theme.muted } },
    axisTick: { show: false },
    axisLabel: {
      color: theme.foreground,
      width,
      overflow: "truncate" as const,
      interval: 0,
      formatter: (name: string) => shortened(name, Math.floor(width / letterWidth)),
    },
    splitLine: { show: false },
  };
}

/** Of the text of an axis, on average. */
const letterWidth = 6.6;

function nameWidth({ width }: ChartSize): number {
  return Math.round(width * (width < narrowWidth ? 0.45 : 0.34));
}

/** Without its middle: names of models and prompts begin alike and differ in their ends. */
function shortened(name: string, length: number): string {
  if (name.length <= length) return name;
  const head = Math.floor((length - 1) / 3);
  return `${name.slice(0, head)}…${name.slice(name.length - (length - 1 - head))}`;
}

/** Room for the names of rows at the left. */
export function rowGrid(top: number, size: ChartSize) {
  return { top, left: nameWidth(size) + 16, right: size.width < narrowWidth ? 14 : 28, bottom: 48 };
}

function axisLook(name: string, theme: ChartTheme, isVertical: boolean) {
  return {
    name,
    nameLocation: "middle" as const,
    nameGap: isVertical ? 46 : 28,
    nameTextStyle: { color: theme.muted },
    axisLine: { show: true, onZero: false, lineStyle: { color: theme.muted } },
    splitLine: { lineStyle: { color: theme.gridLine } },
    minorTick: { show: false },
  };
}

export function latencyAxis(
  values: readonly number[],
  name: string,
  theme: ChartTheme,
  isVertical: boolean,
  size: ChartSize,
) {
  return logAxis(values, { name, format: formatLatency, theme, isVertical }, size);
}

/** The ends of an interval, or the value itself where there is none. */
export function bounds({ value, low, high }: Estimate): [number, number] {
  return [low ?? value, high ?? value];
}

export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly xBounds: readonly [number, number];
  readonly yBounds: readonly [number, number];
}

/** Thin lines with caps from end to end of each interval, in the colour of the points and hidden with them. */
export function errorBars(name: string, color: string, bars: readonly Bar[]): CustomSeriesOption {
  const cap = 4;
  // Of a bar that became a mere point the old lines would stay: ECharts leaves groups alone that have no children.
  const drawn = bars.filter(({ xBounds: [left, right], yBounds: [low, high] }) => left !== right || low !== high);
  return {
    type: "custom",
    name,
    silent: true,
    z: 1,
    itemStyle: { color },
    data: drawn.map(({ x, y, xBounds, yBounds }) => [x, y, ...xBounds, ...yBounds]),
    encode: { x: [0, 2, 3], y: [1, 4, 5] },
    renderItem: (_, api) => {
      const [x, y, left, right, low, high] = [0, 1, 2, 3, 4, 5].map((dimension) => Number(api.value(dimension)));
      const at = (px = 0, py = 0) => api.coord([px, py]) as [number, number];
      const [[x1, cy], [x2]] = [at(left, y), at(right, y)];
      const [[cx, y1], [, y2]] = [at(x, low), at(x, high)];
      const line = (fromX: number, fromY: number, toX: number, toY: number) => ({
        type: "line" as const,
        shape: { x1: fromX, y1: fromY, x2: toX, y2: toY },
        style: { stroke: color, lineWidth: 1.25 },
      });
      const across = [line(x1, cy, x2, cy), line(x1, cy - cap, x1, cy + cap), line(x2, cy - cap, x2, cy + cap)];
      const upright = [line(cx, y1, cx, y2), line(cx - cap, y1, cx + cap, y1), line(cx - cap, y2, cx + cap, y2)];
      return { type: "group", children: [...(left === right ? [] : across), ...(low === high ? [] : upright)] };
    },
  };
}

/** A point as its method shows it: filled when measured, hollow when computed. */
export function pointStyle(color: string, isComputed: boolean, theme: ChartTheme) {
  return isComputed
    ? { color: theme.background, borderColor: color, borderWidth: 2 }
    : { color, borderColor: color, borderWidth: 1 };
}

/** The broad band through those that nothing beats: it stays visible behind a method's own line. */
export function frontLine(points: readonly (readonly [number, number])[], theme: ChartTheme): LineSeriesOption {
  return {
    type: "line",
    name: frontName,
    data: points.map((point) => [...point]),
    symbol: "none",
    silent: true,
    z: 0,
    lineStyle: { color: theme.muted, width: 9, opacity: 0.4, cap: "round", join: "round" },
    itemStyle: { color: theme.muted, opacity: 0.5 },
  };
}
