// Subjects side by side: which problems one of them solved and the other did not.
import type { ReportTable } from "../../benchmark/report/table.ts";
import type { RunView } from "../runView.ts";
import { make, show } from "./dom.ts";

export class PairTables {
  readonly element = make("section", { class: "card pairs", "aria-label": "Quality, pair by pair", hidden: true });
  #drawn = "";

  update({ pairs }: RunView): void {
    const key = JSON.stringify(pairs);
    if (key === this.#drawn) return;
    this.#drawn = key;
    show(this.element, pairs.length > 0);
    this.element.replaceChildren(...pairs.map(drawTable));
  }
}

/** The first is open: names of problems that differ fill pages, and are wanted by few. */
function drawTable({ title, notes, columns, rows }: ReportTable, index: number): HTMLElement {
  const head = columns.map((column) => make("th", { scope: "col" }, column.title));
  const body = rows.map((cells) =>
    make("tr", {}, ...cells.map((cell, at) => make("td", columns[at]?.isText ? {} : { class: "figure" }, cell))),
  );
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  const scroll = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, table);
  const hints = notes.map((note) => make("p", { class: "hint" }, note));
  return make("details", { open: index === 0 }, make("summary", {}, title), ...hints, scroll);
}
