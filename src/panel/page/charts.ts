// The pictures of a run: which there are, what they show, and what is said where there is nothing to draw.

import { comparisonOption } from "../../benchmark/report/charts/comparison.ts";
import { latencySizeOption, sizedPoints, sizeFront } from "../../benchmark/report/charts/latencySize.ts";
import { formatCount, formatEstimate, formatLatency, formatShare } from "../../benchmark/report/charts/numbers.ts";
import { qualityFront, qualityLatencyOption, ratedPoints } from "../../benchmark/report/charts/qualityLatency.ts";
import { courseOption, distributionOption, median } from "../../benchmark/report/charts/samples.ts";
import type { LatencyName } from "../../benchmark/report/charts/summaryPoints.ts";
import type { SuiteId } from "../../benchmark/suite.ts";
import { formatStart } from "../phrases.ts";
import {
  comparedPoints,
  comparisonNotes,
  figureKind,
  latencyFigures,
  pointsOf,
  qualityFigure,
  type RunView,
  speedFigures,
} from "../runView.ts";
import type { PageState } from "../state.ts";
import { ChartBox, type ChartContent } from "./chartBox.ts";
import { button, Select, show } from "./dom.ts";
import type { FrameQueue } from "./frames.ts";
import type { Preferences } from "./preferences.ts";

interface ChartActions {
  readonly frames: FrameQueue;
  readonly prefer: (part: Partial<Preferences>) => void;
  readonly select: (subject: string | null) => void;
  readonly endComparison: () => void;
}

export class Charts {
  readonly #figure: Select;
  readonly #suite: Select;
  readonly #size: ChartBox;
  readonly #quality: ChartBox;
  readonly #distribution: ChartBox;
  readonly #course: ChartBox;
  readonly #comparison: ChartBox;
  #drawn: readonly unknown[] = [];

  constructor({ frames, prefer, select, endComparison }: ChartActions) {
    this.#figure = new Select("Latency", (value) => prefer({ latency: value as LatencyName }));
    this.#suite = new Select("Quality suite", (value) => prefer({ quality: value as SuiteId }));
    const box = (title: string, controls: HTMLElement[] = []) =>
      new ChartBox(title, { controls, frames, onSelect: select });
    this.#size = box("Latency against size", [this.#figure.element]);
    this.#quality = box("Quality against latency", [this.#suite.element]);
    this.#distribution = box("Spread of samples");
    this.#course = box("Samples over time");
    const end = button("End comparison", endComparison, { secondary: true });
    this.#comparison = box("Compared with another run", [end]);
  }

  /** Those that answer the question, and those behind them. */
  get first(): HTMLElement[] {
    return [this.#size.element, this.#quality.element];
  }

  get others(): HTMLElement[] {
    return [this.#distribution.element, this.#course.element];
  }

  get comparison(): HTMLElement {
    return this.#comparison.element;
  }

  redraw(): void {
    for (const box of [this.#size, this.#quality, this.#distribution, this.#course, this.#comparison]) box.redraw();
  }

  update({ view, comparison }: PageState, preferences: Preferences): void {
    if (!view) return;
    const { latency, quality } = preferences;
    // Progress alone changes no picture, and what the pointer rests on stays.
    const drawn = [view, comparison, latency, quality];
    if (drawn.every((part, at) => part === this.#drawn[at])) return;
    this.#drawn = drawn;
    const suite = view.quality.find(({ id }) => id === quality) ?? view.quality[0] ?? null;
    this.#figure.update(
      latencyFigures.map((id) => ({ value: id, label: speedFigures[id].description })),
      latency,
    );
    this.#suite.update(
      view.quality.map(({ id, title }) => ({ value: id, label: title })),
      suite?.id ?? "",
    );
    show(this.#suite.element, suite !== null);
    this.#size.update(
      sizeContent(view, latency),
      "No subject has both a known size and a measured latency yet.",
      unsizedNote(view, latency),
    );
    this.#quality.update(
      suite && qualityContent(view, latency, suite.id),
      suite
        ? "No subject has both a score and a measured latency yet."
        : "No suite of this run measures quality; the starter set and HumanEval do.",
    );
    const hasSamples = view.samples.some(({ samples }) => samples.length > 0);
    this.#distribution.update(hasSamples ? distributionContent(view) : null, "No samples of speed yet.");
    this.#course.update(hasSamples ? courseContent(view) : null, "No samples of speed yet.");
    show(this.#comparison.element, comparison !== null);
    if (!comparison) return;
    this.#comparison.update(
      comparisonContent(comparison, view, latency),
      "The two runs share no subject with this figure.",
      comparisonNotes(comparison, view).join(" "),
    );
  }
}

function sizeContent({ rows }: RunView, latency: LatencyName): ChartContent | null {
  const points = pointsOf(rows, latency, null);
  const sized = sizedPoints(points);
  if (sized.length === 0) return null;
  const front = new Set(sizeFront(points));
  const { description } = speedFigures[latency];
  return {
    description: `${description} against the number of parameters`,
    option: (theme, size) => latencySizeOption(points, description, theme, size),
    columns: ["Subject", "Method", "Parameters", description, "Measured", "Pareto front"],
    rows: sized.map((point) => [
      point.label,
      point.method,
      formatCount(point.parameterCount),
      formatEstimate(point.latencyMs, formatLatency),
      point.isComputed ? "computed" : "measured",
      front.has(point) ? "yes" : "no",
    ]),
    selectable: sized.map(({ id }) => id),
    height: 340,
  };
}

/** Of those that the picture leaves out; servers seldom say how large a model is. */
function unsizedNote({ rows }: RunView, latency: LatencyName): string {
  const unsized = rows.filter(({ figures }) => figures[latency] && !figures.parameters).map(({ label }) => label);
  return unsized.length > 0 ? `Not drawn, as their size is not known: ${unsized.join(", ")}.` : "";
}

function qualityContent({ rows, quality }: RunView, latency: LatencyName, suite: SuiteId): ChartContent | null {
  const figure = qualityFigure(suite);
  const points = pointsOf(rows, latency, figure);
  const rated = ratedPoints(points);
  if (rated.length === 0) return null;
  const front = new Set(qualityFront(points));
  const metric = speedFigures[latency].description;
  const { title, description } = figureKind(figure, quality);
  return {
    description: `${description} against ${metric.toLowerCase()}`,
    option: (theme, size) => qualityLatencyOption(points, { quality: title, metric }, theme, size),
    columns: ["Subject", "Method", title, metric, "Pareto front"],
    rows: rated.map((point) => [
      point.label,
      point.method,
      formatEstimate(point.quality, formatShare),
      formatEstimate(point.latencyMs, formatLatency),
      front.has(point) ? "yes" : "no",
    ]),
    selectable: rated.map(({ id }) => id),
    height: 320,
  };
}

/** More of them stand closer. */
const manyRows = 24;
const sampleMetric = "Time of one generation";

function distributionContent({ samples, sampleCount }: RunView): ChartContent {
  const filled = samples.filter((own) => own.samples.length > 0);
  const drawn = filled.reduce((sum, own) => sum + own.samples.length, 0);
  const part = drawn < sampleCount ? `, ${drawn} of ${sampleCount} samples` : `, ${drawn} samples`;
  return {
    description: `How the times of single generations spread${part}`,
    option: (theme, size) => distributionOption(filled, sampleMetric, theme, size),
    columns: ["Subject", "Samples drawn", "Least", "Median", "Most"],
    rows: filled.map((own) => {
      const values = own.samples.map(({ latencyMs }) => latencyMs);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return [own.label, String(values.length), ...[least, median(own), most].map(formatLatency)];
    }),
    selectable: [],
    height: 90 + (filled.length > manyRows ? 20 : 36) * filled.length,
  };
}

/** Equal parts of the run, for those who read the course as a table. */
const courseParts = 4;

function courseContent({ samples }: RunView): ChartContent {
  const filled = samples.filter((own) => own.samples.length > 0);
  const endMs = Math.max(...filled.flatMap((own) => own.samples.map(({ atMs }) => atMs))) + 1;
  const columns = Array.from({ length: courseParts }, (_, part) => `Median, quarter ${part + 1}`);
  return {
    description: "Times of single generations in the course of the run",
    option: (theme, size) => courseOption(filled, sampleMetric, theme, size),
    columns: ["Subject", ...columns],
    rows: filled.map((own) => [
      own.label,
      ...quarters(own.samples, endMs).map((ms) => (ms === null ? "–" : formatLatency(ms))),
    ]),
    selectable: [],
    height: 280,
  };
}

function quarters(samples: RunView["samples"][number]["samples"], endMs: number): (number | null)[] {
  return Array.from({ length: courseParts }, (_, part) => {
    const own = samples.filter(({ atMs }) => Math.floor((atMs / endMs) * courseParts) === part);
    return own.length === 0 ? null : median({ samples: own });
  });
}

function comparisonContent(before: RunView, after: RunView, figure: LatencyName): ChartContent | null {
  const points = comparedPoints(before, after, figure);
  if (points.length === 0) return null;
  const names = { before: formatStart(before.startedAt), after: formatStart(after.startedAt) };
  const { description } = speedFigures[figure];
  return {
    description: `${description} of ${names.before} and of ${names.after}`,
    option: (theme, size) => comparisonOption(points, names, description, theme, size),
    columns: ["Subject", names.before, names.after, "Ratio"],
    rows: points.map((point) => [
      point.label,
      formatEstimate(point.before, formatLatency),
      formatEstimate(point.after, formatLatency),
      (point.after.value / point.before.value).toFixed(2),
    ]),
    selectable: points.map(({ id }) => id),
    height: 110 + 36 * points.length,
  };
}
