// What a run found: pictures, table, recommendation, warnings, and ways to take it along.
import { counted, describeState } from "../../benchmark/report/state.ts";
import { formatStart } from "../phrases.ts";
import { type ExportFormat, exportFormats, type FromPage } from "../protocol.ts";
import { type FigureId, figureKind, isEmpty, qualityFigure, type ShownWarning } from "../runView.ts";
import type { PageState } from "../state.ts";
import { cellText } from "../table.ts";
import { Charts } from "./charts.ts";
import { button, dismissButton, make, setText, show } from "./dom.ts";
import type { FrameQueue } from "./frames.ts";
import { PairTables } from "./pairTables.ts";
import type { Preferences } from "./preferences.ts";
import { Recommendation } from "./recommendation.ts";
import { ResultTable } from "./resultTable.ts";

const exportLabels: Readonly<Record<ExportFormat, string>> = {
  markdown: "Markdown",
  csv: "CSV",
  html: "HTML",
  svg: "SVG",
  bundle: "Reproduction bundle",
};

const noRun = "No results yet. Start a benchmark, or open a run of before.";

interface ResultsActions {
  readonly send: (message: FromPage) => void;
  readonly prefer: (part: Partial<Preferences>) => void;
  readonly frames: FrameQueue;
  readonly endComparison: () => void;
}

export class ResultsView {
  readonly element = make("div");
  readonly #title = make("h2");
  readonly #machine = make("p", { class: "hint" });
  readonly #warnings = make("div", { hidden: true });
  readonly #recommendation: Recommendation;
  readonly #selected = make("div", { class: "row selected", role: "status" });
  readonly #empty = make("p", { class: "empty" }, noRun);
  readonly #content: HTMLElement;
  readonly #charts: Charts;
  readonly #table: ResultTable;
  readonly #pairs = new PairTables();
  readonly #actions: ResultsActions;
  #state: PageState | null = null;
  #preferences: Preferences | null = null;
  #selectedId: string | null = null;
  #drawnWarnings = "";

  constructor(actions: ResultsActions) {
    this.#actions = actions;
    this.#table = new ResultTable({
      choose: (table) => actions.prefer({ table }),
      use: (subject) => this.#use(subject),
    });
    this.#charts = new Charts({
      frames: actions.frames,
      prefer: actions.prefer,
      select: (subject) => this.#select(subject),
      endComparison: actions.endComparison,
    });
    this.#recommendation = new Recommendation({
      budget: (budgetMs) => this.#onBudget(budgetMs),
      use: (subject) => this.#use(subject),
    });
    const exports = exportFormats.map((format) =>
      button(exportLabels[format], () => this.#export(format), { secondary: true }),
    );
    this.#content = make(
      "div",
      { class: "stack" },
      make("div", {}, this.#title, this.#machine),
      this.#charts.comparison,
      this.#recommendation.element,
      this.#warnings,
      ...this.#charts.first,
      this.#selected,
      this.#table.element,
      this.#pairs.element,
      ...this.#charts.others,
      make(
        "section",
        { class: "card", "aria-label": "Export" },
        make("h3", {}, "Export"),
        make("div", { class: "row" }, ...exports),
      ),
    );
    this.element.append(this.#empty, this.#content);
  }

  update(state: PageState, preferences: Preferences): void {
    const isNewView = state.view !== this.#state?.view;
    const isNewRun = state.view?.runId !== this.#state?.view?.runId;
    this.#state = state;
    this.#preferences = preferences;
    const { view } = state;
    const isBare = view === null || isEmpty(view);
    show(this.#empty, isBare);
    show(this.#content, !isBare);
    setText(this.#empty, view ? "Nothing has been measured yet." : noRun);
    if (isNewRun) this.#select(null);
    if (!view || isBare) return;
    // More results may change which subject is best.
    if (isNewView) this.#ask(view.runId, preferences.budgetMs);
    this.#recommendation.update(view, state, preferences.budgetMs);
    setText(this.#title, `${formatStart(view.startedAt)} (${describeState(view.state, view.left)})`);
    setText(this.#machine, view.isolation === null ? view.machine : `${view.machine}. Code ran in ${view.isolation}.`);
    this.#showWarnings(view.warnings);
    this.#actions.frames.request("table", () => this.#table.update(view, preferences.table));
    this.#actions.frames.request("pairs", () => this.#pairs.update(view));
    this.#charts.update(state, preferences);
  }

  redraw(): void {
    this.#charts.redraw();
  }

  #onBudget(budgetMs: number): void {
    this.#actions.prefer({ budgetMs });
    const view = this.#state?.view;
    if (view) this.#ask(view.runId, budgetMs);
  }

  #ask(runId: string, budgetMs: number): void {
    this.#actions.send({ type: "recommend", runId, budgetMs });
  }

  #showWarnings(warnings: readonly ShownWarning[]): void {
    const key = JSON.stringify(warnings);
    if (key === this.#drawnWarnings) return;
    this.#drawnWarnings = key;
    const items = warnings.map(({ message, advice, subject, isFailure }) =>
      make(
        "li",
        { class: isFailure ? "failure" : "warning" },
        make("strong", {}, subject === null ? "" : `${subject}: `),
        `${message} `,
        make("span", { class: "hint" }, advice),
      ),
    );
    const failures = warnings.filter(({ isFailure }) => isFailure).length;
    const title = [
      ...(failures > 0 ? [counted(failures, "failure")] : []),
      ...(failures < warnings.length ? [counted(warnings.length - failures, "warning")] : []),
    ].join(", ");
    const list = make(
      "details",
      { class: "card", open: failures > 0 },
      make("summary", {}, title),
      make("ul", {}, ...items),
    );
    show(this.#warnings, items.length > 0);
    this.#warnings.replaceChildren(list);
  }

  /** The subject of a point, with its figures and the way to use it. */
  #select(subject: string | null): void {
    this.#selectedId = subject;
    const view = this.#state?.view ?? null;
    const row = view?.rows.find(({ id }) => id === this.#selectedId);
    const preferences = this.#preferences;
    if (!view || !row || !preferences) {
      this.#selected.replaceChildren();
      return;
    }
    const suite = view.quality.find(({ id }) => id === preferences.quality) ?? view.quality[0];
    const ids: FigureId[] = ["parameters", preferences.latency, ...(suite ? [qualityFigure(suite.id)] : [])];
    const figures = ids.map((id) => `${figureKind(id, view.quality).title} ${cellText(row, id, view.quality)}`);
    const use = button("Use for completion", () => this.#use(row.id), { "data-subject": row.id });
    this.#selected.replaceChildren(
      make("strong", {}, row.label),
      make("span", { class: "what" }, figures.join(", ")),
      ...(row.canBeUsed ? [use] : []),
      dismissButton(() => this.#select(null)),
    );
  }

  #use(subject: string): void {
    const runId = this.#state?.view?.runId;
    if (runId !== undefined) this.#actions.send({ type: "use", runId, subject });
  }

  #export(format: ExportFormat): void {
    const runId = this.#state?.view?.runId;
    if (runId === undefined || !this.#preferences) return;
    this.#actions.send({ type: "export", runId, format, figure: this.#preferences.latency });
  }
}
