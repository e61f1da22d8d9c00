// The results as a table: sorted by any column, with the columns the user wants.
import { type FigureId, figureKind, presentFigures, type ResultRow, type RunView } from "../runView.ts";
import { type ColumnId, cellLines, nextSorting, type Sorting, shownColumns, sortRows } from "../table.ts";
import { checkbox, make, setText } from "./dom.ts";

export interface TableChoice {
  readonly sorting: Sorting;
  /** null: the usual ones. */
  readonly columns: readonly FigureId[] | null;
}

interface TableActions {
  readonly choose: (choice: TableChoice) => void;
  readonly use: (subject: string) => void;
}

interface Cell {
  readonly value: HTMLElement;
  readonly interval: HTMLElement;
}

export class ResultTable {
  readonly element: HTMLElement;
  readonly #scroll = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of results" });
  readonly #columns = make("div", { class: "options inline" });
  readonly #actions: TableActions;
  /** What rows and columns there are; figures change more often and are written into the cells. */
  #structure = "";
  #offered = "";
  /** As the user made it last, which may not have been drawn yet. */
  #choice: TableChoice | null = null;
  #cells = new Map<string, Cell>();

  constructor(actions: TableActions) {
    this.#actions = actions;
    const choose = make("details", {}, make("summary", {}, "Columns"), this.#columns);
    const title = make("h3", {}, "Results");
    this.element = make("section", { class: "card", "aria-label": "Results" }, title, choose, this.#scroll);
  }

  update(view: RunView, choice: TableChoice): void {
    this.#choice = choice;
    const present = presentFigures(view.rows, view.quality);
    const columns = shownColumns(present, choice.columns);
    const rows = sortRows(view.rows, choice.sorting);
    this.#offer(present, columns, choice, view);
    const structure = JSON.stringify([
      rows.map(({ figures: _, ...row }) => row),
      columns,
      choice.sorting,
      view.quality,
    ]);
    if (structure !== this.#structure) {
      this.#structure = structure;
      this.#rebuild(rows, columns, choice, view);
    }
    for (const row of rows) {
      for (const id of columns) {
        const cell = this.#cells.get(cellKey(row, id));
        const { value, interval } = cellLines(row, id, view.quality);
        if (!cell) continue;
        setText(cell.value, value);
        setText(cell.interval, interval);
      }
    }
  }

  #choose(part: Partial<TableChoice>): void {
    if (!this.#choice) return;
    this.#choice = { ...this.#choice, ...part };
    this.#actions.choose(this.#choice);
  }

  #offer(present: readonly FigureId[], columns: readonly FigureId[], choice: TableChoice, { quality }: RunView): void {
    const offered = JSON.stringify([present, columns, quality, choice]);
    if (offered === this.#offered) return;
    this.#offered = offered;
    const boxes = present.map((id) => {
      const { title, description } = figureKind(id, quality);
      const box = checkbox(title, columns.includes(id), (isShown) => {
        const shown = shownColumns(present, this.#choice?.columns ?? null);
        this.#choose({ columns: isShown ? [...shown, id] : shown.filter((other) => other !== id) });
      });
      box.title = description;
      box.dataset.figure = id;
      return box;
    });
    keepingFocus(this.#columns, "figure", () => this.#columns.replaceChildren(...boxes));
  }

  #rebuild(rows: readonly ResultRow[], columns: readonly FigureId[], choice: TableChoice, view: RunView): void {
    this.#cells = new Map();
    const heads = [
      this.#head("label", "Subject", "Model and mode", choice),
      this.#head("method", "Method", "How it is executed", choice),
      ...columns.map((id) => {
        const { title, description } = figureKind(id, view.quality);
        return this.#head(id, title, description, choice);
      }),
      make("th", { scope: "col", class: "use" }, make("span", { class: "spoken" }, "Use for completion")),
    ];
    const body = make("tbody", {}, ...rows.map((row) => this.#row(row, columns)));
    const caption = make("caption", { class: "spoken" }, "Figures of each subject, with their intervals");
    const table = make("table", {}, caption, make("thead", {}, make("tr", {}, ...heads)), body);
    keepingFocus(this.#scroll, "column", () => this.#scroll.replaceChildren(table));
  }

  #head(column: ColumnId, title: string, description: string, choice: TableChoice): HTMLElement {
    const { sorting } = choice;
    const isSorted = sorting.column === column;
    const arrow = isSorted ? (sorting.isDescending ? " ▼" : " ▲") : "";
    const attributes = { class: "plain-button sort", type: "button", title: description, "data-column": column };
    const sort = make("button", attributes, title + arrow);
    sort.addEventListener("click", () =>
      this.#choose({ sorting: nextSorting(this.#choice?.sorting ?? sorting, column) }),
    );
    const order = isSorted ? (sorting.isDescending ? "descending" : "ascending") : "none";
    return make("th", { scope: "col", "aria-sort": order }, sort);
  }

  #row(row: ResultRow, columns: readonly FigureId[]): HTMLElement {
    const notes = row.notes.map((note) => make("p", { class: "hint" }, note));
    const figures = columns.map((id) => {
      const cell = { value: make("span"), interval: make("small") };
      this.#cells.set(cellKey(row, id), cell);
      return make("td", { class: "figure" }, cell.value, cell.interval);
    });
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, row.label, ...notes),
      make("td", {}, row.method),
      ...figures,
      make("td", { class: "use" }, row.canBeUsed ? this.#useButton(row) : null),
    );
  }

  #useButton({ id, label }: ResultRow): HTMLElement {
    const title = `Use ${label} for completion`;
    const attributes = { class: "plain-button link", type: "button", title, "aria-label": title };
    const use = make("button", { ...attributes, "data-column": `use ${id}` }, "Use");
    use.addEventListener("click", () => this.#actions.use(id));
    return use;
  }
}

function cellKey({ id }: ResultRow, figure: FigureId): string {
  return `${id} ${figure}`;
}

/** What replaces the element that had the focus gets it: the one whose `data-` name is the same. */
function keepingFocus(container: HTMLElement, name: "column" | "figure", replace: () => void): void {
  const active = document.activeElement;
  const focused = active instanceof HTMLElement && container.contains(active) ? active.dataset[name] : undefined;
  replace();
  if (focused === undefined) return;
  for (const element of container.querySelectorAll<HTMLElement>(`[data-${name}]`)) {
    if (element.dataset[name] === focused) element.focus();
  }
}
