// A picture with its title, what can be chosen about it, and the table behind it.
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type EChartsType, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { ChartOption } from "../../benchmark/report/charts/parts.ts";
import type { ChartSize } from "../../benchmark/report/charts/points.ts";
import type { ChartTheme } from "../../benchmark/report/charts/theme.ts";
import { make, setAttributes, setText, show, table } from "./dom.ts";
import type { FrameQueue } from "./frames.ts";
import { pageTheme } from "./theme.ts";

use([CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

export interface ChartContent {
  /** What the picture shows, in a sentence for those who do not see it. */
  readonly description: string;
  readonly option: (theme: ChartTheme, size: ChartSize) => ChartOption;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Subjects that can be chosen with the pointer or the arrow keys, in this order. */
  readonly selectable: readonly string[];
  /** In pixels; the width is that of the page. */
  readonly height: number;
}

export class ChartBox {
  readonly element: HTMLElement;
  readonly #canvas = make("div", { class: "chart", role: "img" });
  readonly #empty = make("p", { class: "empty" });
  readonly #data = make("div", { class: "scroll" });
  readonly #details = make("details", {}, make("summary", {}, "Show as table"), this.#data);
  readonly #frames: FrameQueue;
  readonly #key: string;
  readonly #onSelect: (subject: string | null) => void;
  #chart: EChartsType | null = null;
  #content: ChartContent | null = null;
  #drawn = "";
  #selected = -1;
  /** The subject whose hint is shown. */
  #hinted: string | null = null;
  /** On the screen or about to be; others are drawn when they come near. */
  #isNear = false;

  constructor(
    title: string,
    {
      controls,
      frames,
      onSelect,
    }: { controls: HTMLElement[]; frames: FrameQueue; onSelect: (subject: string | null) => void },
  ) {
    this.#frames = frames;
    this.#key = `chart ${title}`;
    this.#onSelect = onSelect;
    const header = make("header", {}, make("h3", {}, title), ...controls);
    this.element = make(
      "section",
      { class: "card", "aria-label": title },
      header,
      this.#empty,
      this.#canvas,
      this.#details,
    );
    this.#details.addEventListener("toggle", () => this.#drawData());
    this.#canvas.addEventListener("keydown", (event) => this.#onKey(event));
    new ResizeObserver(() => this.redraw()).observe(this.#canvas);
    const nearby = new IntersectionObserver(
      (entries) => {
        this.#isNear = entries.at(-1)?.isIntersecting === true;
        if (this.#isNear) this.redraw();
      },
      { rootMargin: "400px" },
    );
    nearby.observe(this.element);
  }

  /** `empty` says why there is nothing to draw, `note` how to read what is. */
  update(content: ChartContent | null, empty = "", note = ""): void {
    this.#content = content;
    setText(this.#empty, content ? note : empty);
    show(this.#empty, content === null || note !== "");
    show(this.#canvas, content !== null);
    show(this.#details, content !== null);
    if (!content) return;
    setAttributes(this.#canvas, {
      "aria-label": content.description,
      tabindex: content.selectable.length > 0 ? 0 : null,
    });
    this.#drawData();
    this.#canvas.style.height = `${content.height}px`;
    this.redraw();
  }

  /** Only an open table is kept up to date. */
  #drawData(): void {
    if (!this.#content || !this.#details.open) return;
    const { description, columns, rows } = this.#content;
    const key = JSON.stringify([description, columns, rows]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#data.replaceChildren(table(description, columns, rows));
  }

  redraw(): void {
    if (this.#isNear) this.#frames.request(this.#key, () => this.#draw());
  }

  #draw(): void {
    const size = { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
    if (!this.#content || size.width === 0 || size.height === 0) return;
    if (!this.#chart) {
      this.#chart = init(this.#canvas, null, { renderer: "svg", ...size });
      this.#chart.on("mouseover", ({ name }) => {
        this.#hinted = name;
      });
      this.#chart.on("mouseout", () => {
        this.#hinted = null;
      });
      this.#chart.on("click", ({ name }) => this.#select(this.#content?.selectable.indexOf(name) ?? -1));
    }
    // Draws all of it, so only when it is needed: the picture is drawn once more below.
    if (this.#chart.getWidth() !== size.width || this.#chart.getHeight() !== size.height) this.#chart.resize(size);
    this.#chart.setOption(this.#withHidden(this.#content.option(pageTheme(), size)), { notMerge: true });
    if (this.#hinted !== null) this.#showHint(this.#hinted); // A picture that is drawn anew has no hint.
  }

  /** What was hidden by a click into the legend stays hidden. */
  #withHidden(option: ChartOption): ChartOption {
    const [drawn] = (this.#chart?.getOption()?.legend ?? []) as { selected?: Record<string, boolean> }[];
    if (!option.legend || !drawn?.selected) return option;
    return { ...option, legend: { ...option.legend, selected: drawn.selected } };
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#deselect();
    const count = this.#content?.selectable.length ?? 0;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined || count === 0) return;
    event.preventDefault();
    this.#select(this.#selected < 0 ? (step > 0 ? 0 : count - 1) : (this.#selected + step + count) % count);
  }

  #select(index: number): void {
    const subject = this.#content?.selectable[index];
    if (subject === undefined) return;
    this.#selected = index;
    this.#canvas.scrollIntoView({ block: "nearest" });
    this.#showHint(subject);
    this.#onSelect(subject);
  }

  #deselect(): void {
    this.#selected = -1;
    this.#hinted = null;
    this.#chart?.dispatchAction({ type: "hideTip" });
    this.#onSelect(null);
  }

  /** Points carry the id of their subject as their name. */
  #showHint(subject: string): void {
    this.#hinted = subject;
    const series = (this.#chart?.getOption().series ?? []) as readonly { data?: readonly unknown[] }[];
    for (const [seriesIndex, { data = [] }] of series.entries()) {
      const dataIndex = data.findIndex((point) => (point as { name?: unknown } | null)?.name === subject);
      if (dataIndex >= 0) this.#chart?.dispatchAction({ type: "showTip", seriesIndex, dataIndex });
    }
  }
}
