import { describe, expect, it } from "vitest";
import { comparisonOption } from "../../../../src/benchmark/report/charts/comparison.ts";
import { latencySizeOption, sizedPoints, sizeFront } from "../../../../src/benchmark/report/charts/latencySize.ts";
import {
  formatCount,
  formatEstimate,
  formatLatency,
  formatShare,
  logTicks,
} from "../../../../src/benchmark/report/charts/numbers.ts";
import type { ChartPoint, SampleSeries } from "../../../../src/benchmark/report/charts/points.ts";
import { qualityFront, qualityLatencyOption } from "../../../../src/benchmark/report/charts/qualityLatency.ts";
import { courseOption, distributionOption, median } from "../../../../src/benchmark/report/charts/samples.ts";
import { sampleSeries, summaryPoints } from "../../../../src/benchmark/report/charts/summaryPoints.ts";
import {
  chartThemes,
  methodOrder,
  methodSymbols,
  modeOrder,
  modeSymbols,
} from "../../../../src/benchmark/report/charts/theme.ts";
import { reportPictures } from "../../../../src/benchmark/report/pictures.ts";
import { summarize } from "../../../../src/benchmark/report/summary.ts";
import { renderSvg } from "../../../../src/benchmark/report/svg.ts";
import { exampleRecord } from "../../../support/benchmarkRecord.ts";

const { light } = chartThemes;
const size = { width: 700, height: 400 };

const point = (id: string, change: Partial<ChartPoint> = {}): ChartPoint => ({
  id,
  label: id,
  method: "dense",
  mode: null,
  family: "llama",
  parameterCount: 7e9,
  latencyMs: { value: 400, low: 380, high: 430 },
  quality: { value: 0.4, low: 0.3, high: 0.5 },
  isComputed: false,
  ...change,
});

/** The series of an option, as far as the tests look at them. */
function seriesOf(option: { series?: unknown }) {
  return option.series as readonly {
    type: string;
    name?: string;
    data: readonly { name: string; value: readonly number[]; itemStyle: { color: string } }[];
  }[];
}

describe("charts", () => {
  it("draw one series per method, by size, with its error bars", () => {
    const points = [
      point("large", { parameterCount: 70e9, latencyMs: { value: 4000, low: null, high: null } }),
      point("small"),
      point("hot", { method: "hot/cold", latencyMs: { value: 200, low: 190, high: 210 } }),
    ];
    const series = seriesOf(latencySizeOption(points, "End to end", light, size));
    expect(series.map(({ type, name }) => [type, name])).toEqual([
      ["line", "dense"],
      ["custom", "dense"],
      ["line", "hot/cold"],
      ["custom", "hot/cold"],
      ["line", "Pareto front"],
    ]);
    expect(series[0]?.data.map(({ name, value }) => [name, ...value])).toEqual([
      ["small", 7e9, 400],
      ["large", 70e9, 4000],
    ]);
    // Value, then the ends of its interval along both axes.
    expect(series[3]?.data).toEqual([[7e9, 200, 7e9, 7e9, 190, 210]]);
  });

  it("draw one series per mode, and join only points of one family", () => {
    const points = [
      point("exact", { method: "hot/cold", mode: "exact" }),
      point("predicted", { method: "hot/cold", mode: "predicted" }),
      point("small", { parameterCount: 1e9 }),
      point("large"),
      point("other", { family: "qwen2" }),
      point("server", { method: "server", family: null }),
      point("server-2", { method: "server", family: null }),
    ];
    const joined = seriesOf(latencySizeOption(points, "End to end", light, size))
      .filter(({ type, name }) => type === "line" && name !== "Pareto front")
      .map(({ name, data }) => [name, ...data.map((each) => each.name)]);
    expect(joined).toEqual([
      ["dense", "small", "large"],
      ["dense", "other"],
      ["hot/cold, exact", "exact"],
      ["hot/cold, predicted", "predicted"],
      ["server", "server"],
      ["server", "server-2"],
    ]);
  });

  it("draw what was computed hollow", () => {
    const points = [point("measured"), point("computed", { parameterCount: 70e9, isComputed: true })];
    const [dense] = seriesOf(latencySizeOption(points, "End to end", light, size));
    const colors = dense?.data.map(({ itemStyle }) => itemStyle.color);
    expect(colors).toEqual([light.methods.dense, light.background]);
  });

  it("leave out what has no place in them", () => {
    const points = [point("a"), point("unsized", { parameterCount: null }), point("slow", { latencyMs: null })];
    expect(sizedPoints(points).map(({ id }) => id)).toEqual(["a"]);
  });

  it("run the front along what nothing beats", () => {
    const points = [
      point("7b", { parameterCount: 7e9, latencyMs: { value: 100, low: null, high: null } }),
      point("7b slow", { parameterCount: 7e9, latencyMs: { value: 300, low: null, high: null } }),
      point("13b", { parameterCount: 13e9, latencyMs: { value: 250, low: null, high: null } }),
    ];
    expect(sizeFront(points).map(({ id }) => id)).toEqual(["7b", "13b"]);
    const better = point("better", {
      quality: { value: 0.6, low: null, high: null },
      latencyMs: points[2]?.latencyMs ?? null,
    });
    expect(qualityFront([...points, better]).map(({ id }) => id)).toEqual(["7b", "better"]);
  });

  it("scale quality to what there is, with its interval", () => {
    const option = qualityLatencyOption([point("a")], { quality: "HumanEval", metric: "End to end" }, light, size);
    expect(option.yAxis).toMatchObject({ min: 0, max: 0.6 });
  });

  it("tell methods apart without colours", () => {
    const others = modeOrder.flatMap((mode) => (mode && mode !== "exact" ? [modeSymbols[mode]] : []));
    const symbols = [...methodOrder.map((method) => methodSymbols[method]), ...others];
    expect(new Set(symbols).size).toBe(symbols.length);
    for (const theme of Object.values(chartThemes)) {
      expect(new Set(Object.values(theme.methods)).size).toBe(methodOrder.length);
    }
  });

  it("give every thing of a theme a colour of its own", () => {
    for (const { background, foreground, muted, gridLine, methods } of Object.values(chartThemes)) {
      const colors = [background, foreground, muted, gridLine, ...Object.values(methods)];
      expect(new Set(colors).size).toBe(colors.length);
    }
  });

  it("show methods at 3 to 1 and text at 4.5 to 1 against the background", () => {
    for (const { background, foreground, muted, methods } of Object.values(chartThemes)) {
      for (const color of Object.values(methods)) expect(contrast(color, background)).toBeGreaterThan(3);
      for (const color of [foreground, muted]) expect(contrast(color, background)).toBeGreaterThan(4.5);
    }
  });
});

/** Of WCAG 2. */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, bright = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

describe("numbers of charts", () => {
  it("are short", () => {
    expect([360e6, 1.54e9, 7e9, 70e9, 5_000_000].map(formatCount)).toEqual(["360M", "1.5B", "7B", "70B", "5M"]);
    expect([0.42, 8.31, 41.6, 999.6, 1240, 85_000].map(formatLatency)).toEqual([
      "0.42 ms",
      "8.3 ms",
      "42 ms",
      "1000 ms",
      "1.2 s",
      "85 s",
    ]);
    expect(formatShare(0.4268)).toBe("42.7 %");
    expect(formatEstimate({ value: 240, low: 220, high: 260 }, formatLatency)).toBe("240 ms (220 to 260 ms)");
    expect(formatEstimate({ value: 240, low: null, high: 260 }, formatLatency)).toBe("240 ms");
  });

  it("stand at round places of a logarithmic axis", () => {
    expect(logTicks(90, 1200)).toEqual([100, 200, 500, 1000]);
    expect(logTicks(5e6, 7e10)).toEqual([1e7, 1e8, 1e9, 1e10]);
    expect(logTicks(310, 440)).toEqual([350, 400]);
  });
});

describe("charts of samples", () => {
  const series = (id: string, values: readonly number[]): SampleSeries => ({
    id,
    label: id,
    method: "dense",
    mode: null,
    samples: values.map((latencyMs, index) => ({ atMs: index * 1000, latencyMs })),
  });

  it("mark the median of each row", () => {
    expect(median(series("a", [5, 1, 3]))).toBe(3);
    expect(median(series("a", [5, 1, 3, 4]))).toBe(3.5);
    const option = distributionOption([series("a", [5, 1, 3]), series("b", [7])], "Time", light, size);
    expect(seriesOf(option).at(-1)?.data).toEqual([
      [3, 0],
      [7, 1],
    ]);
  });

  it("shorten long names in their middle, as models and prompts differ in their ends", () => {
    const name = "qwen2.5-coder-1.5b-sparsegpt-2of4 (dense), prompt";
    const all = ["64", "512"].map((prompt) => series(`${name}-${prompt}`, [1, 2]));
    const svg = renderSvg(
      distributionOption(all, "Time", light, { width: 420, height: 160 }),
      { width: 420, height: 160 },
      "names",
    );
    expect([...svg.matchAll(/>(qw[^<]*)</g)].map(([, shown]) => shown)).toEqual([
      "qwen2.…se), prompt-64",
      "qwen2.…e), prompt-512",
    ]);
  });

  it("leave out subjects without samples in the course of the run", () => {
    const option = courseOption([series("a", [5, 1]), series("b", [])], "Time", light, size);
    expect(seriesOf(option)).toHaveLength(1);
  });

  it("take what the tables count, each prompt by itself", () => {
    const entries = exampleRecord(10).entries.map((entry) =>
      entry.type === "output" && entry.task === "prompt-512" && entry.repetition > 7
        ? { ...entry, task: "idle-256" }
        : entry,
    );
    const record = { ...exampleRecord(10), entries };
    const own = sampleSeries(record, summarize(record), 100).filter(({ id }) => id.startsWith("coder-dense "));
    // One of ten rounds was disturbed, and two came after a rest.
    expect(own.map(({ label, samples }) => [label, samples.length])).toEqual([
      ["Coder 7B, dense, prompt-64", 9],
      ["Coder 7B, dense, prompt-512", 7],
    ]);
  });

  it("take samples evenly from a long run", () => {
    const record = exampleRecord(300);
    const [first] = sampleSeries(record, summarize(record), 100);
    expect(first?.samples).toHaveLength(50); // Of each of two prompts.
    const times = first?.samples.map(({ atMs }) => atMs) ?? [];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect((times.at(-1) ?? 0) / (record.entries.at(-1) as { atMs: number }).atMs).toBeGreaterThan(0.9);
  });
});

describe("pictures of a run", () => {
  const record = exampleRecord();
  const summary = summarize(record);

  it("are those for which it has something to show", () => {
    expect(reportPictures(record, summary).map(({ name }) => name)).toEqual([
      "latency-size",
      "quality-starter",
      "quality-infill-single",
      "samples",
      "course",
    ]);
  });

  it("draw computed subjects and leave out the parts they were computed from", () => {
    const points = summaryPoints(summary, "e2e25Ms", null);
    expect(points.map(({ id, isComputed }) => [id, isComputed])).toEqual([
      ["coder-dense", false],
      ["coder-exact", false],
      ["ollama", false],
      ["70b-q4_0", true],
    ]);
  });

  it("are the same text every time, without script, style and link", () => {
    const draw = () =>
      reportPictures(record, summary).map(({ name, size: own, option }) => renderSvg(option(light), own, name));
    const pictures = draw();
    expect(draw()).toEqual(pictures);
    for (const svg of pictures) {
      expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 \d+ \d+"/);
      expect(svg).not.toMatch(/<script|<style|<foreignObject|href=|\bon\w+=|class=|ecmeta/i);
    }
  });

  it("hold hostile names as text", () => {
    const label = `</text><script>alert(1)</script> {a|b} " & '`;
    const hostile = { before: { value: 1, low: null, high: null }, after: { value: 2, low: null, high: null } };
    const names = { before: "<b>1</b>", after: "2" };
    const option = comparisonOption([{ id: "x", label, method: "dense", ...hostile }], names, "Time", light, {
      width: 2000,
      height: 200,
    });
    const svg = renderSvg(option, { width: 2000, height: 200 });
    expect(svg).not.toMatch(/<script|<b>/);
    expect(svg).toContain("&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
  });
});
