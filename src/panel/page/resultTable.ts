// The results as a table: sorted by any column, with the columns the user wants.

import { type FigureId, figureKind, presentFigures, type ResultRow, type RunView } from "../runView.ts";
import { type ColumnId, cellLines, nextSorting, type Sorting, shownColumns, sortRows } from "../table.ts";
import { button, checkbox, make } from "./dom.ts";

export interface TableChoice {
  readonly sorting: Sorting;
  /** null: the usual ones. */
  readonly columns: readonly FigureId[] | null;
}

interface TableActions {
  readonly choose: (choice: TableChoice) => void;
  readonly use: (subject: string) => void;
}

export class ResultTable {
  readonly element: HTMLElement;
  readonly #scroll = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of results" });
  readonly #columns = make("div", { class: "options inline" });
  readonly #actions: TableActions;
  #drawn = "";

  constructor(actions: TableActions) {
    this.#actions = actions;
    const choose = make("details", {}, make("summary", {}, "Columns"), this.#columns);
    this.element = make(
      "section",
      { class: "card", "aria-label": "Results" },
      make("h3", {}, "Results"),
      choose,
      this.#scroll,
    );
  }

  update(view: RunView, choice: TableChoice): void {
    const key = JSON.stringify([view.rows, view.quality, choice]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const present = presentFigures(view.rows, view.quality);
    const columns = shownColumns(present, choice.columns);
    this.#columns.replaceChildren(...present.map((id) => this.#columnBox(id, columns, choice, view)));
    const focused = (document.activeElement as HTMLElement | null)?.dataset.column;
    this.#scroll.replaceChildren(this.#table(view, columns, choice));
    if (focused !== undefined) this.#scroll.querySelector<HTMLElement>(`[data-column="${focused}"]`)?.focus();
  }

  #columnBox(id: FigureId, columns: readonly FigureId[], choice: TableChoice, { quality }: RunView): HTMLElement {
    const { title, description } = figureKind(id, quality);
    const box = checkbox(title, columns.includes(id), (isShown) => {
      const chosen = isShown ? [...columns, id] : columns.filter((other) => other !== id);
      this.#actions.choose({ ...choice, columns: chosen });
    });
    box.title = description;
    return box;
  }

  #table(view: RunView, columns: readonly FigureId[], choice: TableChoice): HTMLTableElement {
    const heads = [
      this.#head("label", "Subject", "Model and mode", choice),
      this.#head("method", "Method", "How it is executed", choice),
      ...columns.map((id) => {
        const { title, description } = figureKind(id, view.quality);
        return this.#head(id, title, description, choice);
      }),
      make("th", { scope: "col" }, make("span", { class: "spoken" }, "Use")),
    ];
    const rows = sortRows(view.rows, choice.sorting).map((row) => this.#row(row, columns, view));
    const caption = make("caption", { class: "spoken" }, "Figures of each subject, with intervals in brackets");
    return make("table", {}, caption, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  }

  #head(column: ColumnId, title: string, description: string, choice: TableChoice): HTMLElement {
    const { sorting } = choice;
    const isSorted = sorting.column === column;
    const arrow = isSorted ? (sorting.isDescending ? " ▼" : " ▲") : "";
    const sort = make(
      "button",
      { class: "sort", type: "button", title: description, "data-column": column },
      title + arrow,
    );
    sort.addEventListener("click", () => this.#actions.choose({ ...choice, sorting: nextSorting(sorting, column) }));
    const order = isSorted ? (sorting.isDescending ? "descending" : "ascending") : "none";
    return make("th", { scope: "col", "aria-sort": order }, sort);
  }

  #row(row: ResultRow, columns: readonly FigureId[], { quality }: RunView): HTMLElement {
    const label = row.isComputed ? `${row.label} (computed)` : row.label;
    const notes = row.notes.map((note) => make("p", { class: "hint" }, note));
    const use = button("Use for completion", () => this.#actions.use(row.id), {
      secondary: true,
      "aria-label": `Use ${row.label} for completion`,
    });
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, label, ...notes),
      make("td", {}, row.method),
      ...columns.map((id) => {
        const { value, interval } = cellLines(row, id, quality);
        return make("td", { class: "figure" }, value, interval === "" ? null : make("small", {}, interval));
      }),
      make("td", {}, row.canBeUsed ? use : null),
    );
  }
}
