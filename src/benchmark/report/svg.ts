// Draws a chart as a picture of its own, without a page: for reports, and for SVG files.
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { ChartOption } from "./charts/parts.ts";
import type { ChartSize } from "./charts/points.ts";

use([CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

/** The same text for the same option and size. `name` makes ids unique where several pictures share a page. */
export function renderSvg(option: ChartOption, size: ChartSize, name = "chart"): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: size.width, height: size.height });
  try {
    chart.setOption({ ...option, tooltip: { show: false } });
    const svg = chart.renderToSVGString();
    return withoutHover(svg).replaceAll(/\bzr\d+-/g, `${name}-`); // The renderer counts its pictures into every id.
  } finally {
    chart.dispose();
  }
}

/** Rules for the pointer and marks for a script that brings them to life: a picture in a report has neither. */
function withoutHover(svg: string): string {
  return svg
    .replaceAll(/<style\s*>[\s\S]*?<\/style>\s*/g, "")
    .replaceAll(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"(?=[^<>]*>)/g, "");
}
