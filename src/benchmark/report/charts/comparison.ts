// Two runs beside one another: where each subject stood and where it stands.
import { formatEstimate, formatLatency } from "./numbers.ts";
import { base, bounds, type ChartOption, errorBars, latencyAxis, legendAndGrid, nameAxis, rowGrid } from "./parts.ts";
import type { ChartSize, ComparedPoint } from "./points.ts";
import type { ChartTheme } from "./theme.ts";

/** `names`: of the two runs, for the legend. */
export function comparisonOption(
  points: readonly ComparedPoint[],
  names: { readonly before: string; readonly after: string },
  metric: string,
  theme: ChartTheme,
  size: ChartSize,
): ChartOption {
  const values = points.flatMap(({ before, after }) => [...bounds(before), ...bounds(after)]);
  const { before: beforeName, after: afterName } = names;
  const legend = legendAndGrid(
    [
      { name: beforeName, icon: "circle" },
      { name: afterName, icon: "triangle" },
    ],
    size,
    theme,
  );
  return {
    ...base(theme),
    legend: legend.legend,
    grid: rowGrid(legend.top, size),
    xAxis: latencyAxis(values, metric, theme, false, size),
    yAxis: nameAxis(
      points.map(({ label }) => label),
      theme,
      size,
    ),
    series: [
      run(points, "before", beforeName, theme),
      run(points, "after", afterName, theme),
      errorBars(beforeName, theme.muted, bars(points, "before")),
      errorBars(afterName, theme.methods["hot/cold"], bars(points, "after")),
    ],
  };
}

function bars(points: readonly ComparedPoint[], which: "before" | "after") {
  return points.map((point, row) => ({
    x: point[which].value,
    y: row,
    xBounds: bounds(point[which]),
    yBounds: [row, row] as const,
  }));
}

function run(points: readonly ComparedPoint[], which: "before" | "after", name: string, theme: ChartTheme) {
  const isBefore = which === "before";
  return {
    type: "scatter" as const,
    name,
    symbol: isBefore ? "circle" : "triangle",
    symbolSize: 12,
    itemStyle: isBefore
      ? { color: theme.background, borderColor: theme.muted, borderWidth: 2, opacity: 1 }
      : { color: theme.methods["hot/cold"], opacity: 1 },
    z: 3,
    data: points.map((point, row) => ({ name: point.id, value: [point[which].value, row] })),
    tooltip: {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const point = points[dataIndex];
        return point ? `${point.label}\n${name}: ${formatEstimate(point[which], formatLatency)}` : "";
      },
    },
  };
}
