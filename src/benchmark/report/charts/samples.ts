// Single latencies: how they spread, and whether they drifted while the run went on.
import { formatLatency } from "./numbers.ts";
import {
  base,
  type ChartOption,
  latencyAxis,
  legendAndGrid,
  linearAxis,
  nameAxis,
  rowGrid,
  seriesLegend,
} from "./parts.ts";
import type { ChartSize, SampleSeries } from "./points.ts";
import { seriesName, seriesOf, seriesSymbol } from "./series.ts";
import type { ChartTheme } from "./theme.ts";

/** One row of dots per subject and prompt; a stroke marks the median. */
export function distributionOption(
  all: readonly SampleSeries[],
  metric: string,
  theme: ChartTheme,
  size: ChartSize,
): ChartOption {
  const values = all.flatMap(({ samples }) => samples.map(({ latencyMs }) => latencyMs));
  const rows = all.map((own, row) => ({
    type: "scatter" as const,
    name: own.label,
    symbol: seriesSymbol(own),
    symbolSize: 6,
    itemStyle: { color: theme.methods[own.method], opacity: 0.6 },
    data: own.samples.map(({ latencyMs }, index) => [latencyMs, row + spread(index)]),
    tooltip: {
      formatter: ({ value }: { value: unknown }) => `${own.label}\n${formatLatency((value as number[])[0] ?? 0)}`,
    },
  }));
  const medians = all.flatMap((own, row) => (own.samples.length > 0 ? [[median(own), row]] : []));
  return {
    ...base(theme),
    grid: rowGrid(12, size),
    xAxis: latencyAxis(values, metric, theme, false, size),
    // Two axes over one another: names for the rows, numbers so that dots can stand beside their row's middle.
    yAxis: [
      nameAxis(
        all.map(({ label }) => label),
        theme,
        size,
      ),
      { type: "value", min: -0.5, max: all.length - 0.5, inverse: true, show: false },
    ],
    series: [
      ...rows.map((row) => ({ ...row, yAxisIndex: 1 })),
      {
        type: "scatter",
        yAxisIndex: 1,
        silent: true,
        symbol: "rect",
        symbolSize: [5, Math.min(30, (size.height - 60) / all.length)],
        itemStyle: { color: theme.foreground, borderColor: theme.background, borderWidth: 1 },
        data: medians,
        z: 5,
      },
    ],
  };
}

/** Latency over the time of the run, one colour per method and one symbol per mode. */
export function courseOption(
  all: readonly SampleSeries[],
  metric: string,
  theme: ChartTheme,
  size: ChartSize,
): ChartOption {
  const filled = all.filter(({ samples }) => samples.length > 0);
  const values = filled.flatMap(({ samples }) => samples.map(({ latencyMs }) => latencyMs));
  const lastMs = Math.max(...filled.flatMap(({ samples }) => samples.map(({ atMs }) => atMs)));
  const room = legendAndGrid(seriesLegend(seriesOf(filled), false), size, theme);
  const seconds = (ms: number) => (lastMs > 300_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`);
  return {
    ...base(theme),
    legend: room.legend,
    grid: room.grid,
    xAxis: linearAxis({ min: 0, max: lastMs }, { name: "Time of the run", format: seconds, theme, isVertical: false }),
    yAxis: latencyAxis(values, metric, theme, true, size),
    series: filled.map((own) => ({
      type: "scatter",
      name: seriesName(own),
      symbol: seriesSymbol(own),
      symbolSize: 5,
      itemStyle: { color: theme.methods[own.method], opacity: 0.7 },
      data: own.samples.map(({ atMs, latencyMs }) => [atMs, latencyMs]),
      tooltip: {
        formatter: ({ value }: { value: unknown }) => `${own.label}\n${formatLatency((value as number[])[1] ?? 0)}`,
      },
    })),
  };
}

export function median({ samples }: Pick<SampleSeries, "samples">): number {
  const sorted = samples.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

/** A place within a row, spread evenly and the same in every drawing: multiples of the golden ratio. */
function spread(index: number): number {
  return ((index * 0.618034) % 1) * 0.6 - 0.3;
}
