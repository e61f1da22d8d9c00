// The tabs of the panel, as screen readers and the arrow keys know them.
import type { Tab } from "../protocol.ts";
import { make, setAttributes, show } from "./dom.ts";

interface TabEntry {
  readonly id: Tab;
  readonly label: string;
  readonly panel: HTMLElement;
}

export class Tabs {
  readonly element: HTMLElement;
  readonly panels: readonly HTMLElement[];
  #current: Tab | null = null;
  readonly #entries: readonly { readonly id: Tab; readonly tab: HTMLElement; readonly panel: HTMLElement }[];

  constructor(entries: readonly TabEntry[], onChoose: (tab: Tab) => void) {
    this.#entries = entries.map(({ id, label, panel }) => {
      const tab = make(
        "button",
        { role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`, type: "button" },
        label,
      );
      tab.addEventListener("click", () => onChoose(id));
      setAttributes(panel, { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}` });
      return { id, tab, panel };
    });
    this.panels = entries.map(({ panel }) => panel);
    this.element = make("div", { class: "tabs", role: "tablist" }, ...this.#entries.map(({ tab }) => tab));
    this.element.addEventListener("keydown", ({ key }) => {
      const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
      if (step === 0) return;
      const index = this.#entries.findIndex(({ tab }) => tab === document.activeElement);
      const next = this.#entries.at((index + step) % this.#entries.length);
      if (!next) return;
      onChoose(next.id);
      next.tab.focus();
    });
  }

  update(current: Tab): void {
    for (const { id, tab, panel } of this.#entries) {
      setAttributes(tab, { "aria-selected": String(id === current), tabindex: id === current ? 0 : -1 });
      show(panel, id === current);
    }
    if (current !== this.#current) scrollTo(0, 0);
    this.#current = current;
  }
}
