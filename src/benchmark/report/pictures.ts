// The pictures of a report: those for which a run has something to show.
import type { RunRecord } from "../record/entries.ts";
import { latencySizeOption, sizedPoints } from "./charts/latencySize.ts";
import type { ChartOption } from "./charts/parts.ts";
import type { ChartSize } from "./charts/points.ts";
import { qualityLatencyOption, ratedPoints } from "./charts/qualityLatency.ts";
import { courseOption, distributionOption } from "./charts/samples.ts";
import { type LatencyName, latencyTitles, sampleSeries, summaryPoints } from "./charts/summaryPoints.ts";
import type { ChartTheme } from "./charts/theme.ts";
import type { RunSummary } from "./summary.ts";

export interface Picture {
  /** Of a file: "latency-size", "quality-humaneval". */
  readonly name: string;
  readonly title: string;
  readonly size: ChartSize;
  readonly option: (theme: ChartTheme) => ChartOption;
}

export const sampleTitle = "Time of one generation";
const width = 820;
/** More would not be told apart. */
const samplesDrawn = 300;

export function reportPictures(record: RunRecord, summary: RunSummary, latency: LatencyName = "e2e25Ms"): Picture[] {
  return [...sizePictures(summary, latency), ...qualityPictures(summary, latency), ...samplePictures(record, summary)];
}

function sizePictures(summary: RunSummary, latency: LatencyName): Picture[] {
  const points = summaryPoints(summary, latency, null);
  if (sizedPoints(points).length === 0) return [];
  const size = { width, height: 400 };
  const option = (theme: ChartTheme) => latencySizeOption(points, latencyTitles[latency], theme, size);
  return [{ name: "latency-size", title: "Latency against size", size, option }];
}

function qualityPictures(summary: RunSummary, latency: LatencyName): Picture[] {
  return summary.suites.flatMap(({ info }) => {
    const points = summaryPoints(summary, latency, info.id);
    if (ratedPoints(points).length === 0) return [];
    const size = { width, height: 360 };
    const names = { quality: info.title, metric: latencyTitles[latency] };
    const option = (theme: ChartTheme) => qualityLatencyOption(points, names, theme, size);
    return [{ name: `quality-${info.id}`, title: `${info.title} against latency`, size, option }];
  });
}

function samplePictures(record: RunRecord, summary: RunSummary): Picture[] {
  const series = sampleSeries(record, summary, samplesDrawn);
  if (series.length === 0) return [];
  const rows = { width, height: 90 + 40 * series.length };
  const plane = { width, height: 320 };
  return [
    {
      name: "samples",
      title: "Spread of samples",
      size: rows,
      option: (theme) => distributionOption(series, sampleTitle, theme, rows),
    },
    {
      name: "course",
      title: "Samples over time",
      size: plane,
      option: (theme) => courseOption(series, sampleTitle, theme, plane),
    },
  ];
}
