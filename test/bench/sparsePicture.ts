// What `sparse` measured as a picture: how much faster than llama.cpp, by how many neurons are active.
import { base, type ChartOption, legendAndGrid, linearAxis, logAxis } from "../../src/benchmark/report/charts/parts.ts";
import { chartThemes, methodSymbols } from "../../src/benchmark/report/charts/theme.ts";
import { renderSvg } from "../../src/benchmark/report/svg.ts";

export interface SparsePoint {
  /** "ReLU² Q8_0" */
  readonly series: string;
  /** 0 to 1. */
  readonly active: number;
  /** Decode speed over llama.cpp's. */
  readonly ratio: number;
}

const theme = chartThemes.light;
const size = { width: 640, height: 340 };
const colors = [theme.methods["hot/cold"], theme.methods.dense, theme.methods.GPTQ, theme.methods.SparseGPT];
const symbols = [methodSymbols["hot/cold"], methodSymbols.dense, methodSymbols.GPTQ, methodSymbols.SparseGPT];

export function drawSparse(points: readonly SparsePoint[]): string {
  const names = [...new Set(points.map(({ series }) => series))];
  const lines = names.map((name, index) => ({
    type: "line" as const,
    name,
    symbol: symbols[index % symbols.length] ?? "circle",
    symbolSize: 9,
    lineStyle: { width: 2 },
    itemStyle: { color: colors[index % colors.length] ?? theme.foreground },
    data: points.filter(({ series }) => series === name).map(({ active, ratio }) => [active, ratio]),
  }));
  const legend = legendAndGrid(
    lines.map(({ name, symbol }) => ({ name, icon: symbol })),
    size,
    theme,
  );
  const activities = points.map(({ active }) => active);
  const percent = { name: "active neurons", format: (share: number) => `${Math.round(100 * share)} %` };
  const xAxis = logAxis(activities, { ...percent, theme, isVertical: false }, size);
  const ticks = [...new Set(activities)];
  const top = Math.ceil(Math.max(...points.map(({ ratio }) => ratio)));
  const times = { name: "decode speed, llama.cpp = 1", format: (ratio: number) => `${ratio}x` };
  const even = {
    type: "line" as const,
    symbol: "none",
    lineStyle: { width: 1.5, type: "dashed" as const },
    itemStyle: { color: theme.muted },
    data: [Math.min(...activities), Math.max(...activities)].map((active) => [active, 1]),
  };
  const option: ChartOption = {
    ...base(theme),
    legend: legend.legend,
    grid: legend.grid,
    xAxis: { ...xAxis, axisLabel: { ...xAxis.axisLabel, customValues: ticks }, axisTick: { customValues: ticks } },
    yAxis: linearAxis({ min: 0, max: top }, { ...times, theme, isVertical: true }),
    series: [...lines, even],
  };
  return renderSvg(option, size, "sparse");
}
