// Building and changing parts of the page. Text goes in as text: nothing here parses markup.
import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-checkbox/index.js";
import "@vscode-elements/elements/dist/vscode-option/index.js";
import "@vscode-elements/elements/dist/vscode-progress-bar/index.js";
import "@vscode-elements/elements/dist/vscode-single-select/index.js";
import "@vscode-elements/elements/dist/vscode-textfield/index.js";

type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** An element with attributes (false and null: without it) and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value))
      element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Leaves an equal text alone, so that screen readers and selections are not disturbed. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element: HTMLElement, isShown: boolean): void {
  element.hidden = !isShown;
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}) {
  const made = make("vscode-button", attributes, label);
  made.addEventListener("click", onClick);
  return made;
}

/** Puts away what it stands in. */
export function dismissButton(onClick: () => void): HTMLButtonElement {
  const [svg, cross] = (["svg", "path"] as const).map((name) =>
    document.createElementNS("http://www.w3.org/2000/svg", name),
  ) as [SVGSVGElement, SVGPathElement];
  setAttributes(svg, { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" });
  setAttributes(cross, { d: "m4 4 8 8m0-8-8 8", fill: "none", stroke: "currentColor", "stroke-width": 1.3 });
  svg.append(cross);
  const made = make("button", { class: "icon-button", type: "button", title: "Dismiss", "aria-label": "Dismiss" }, svg);
  made.addEventListener("click", onClick);
  return made;
}

export function checkbox(label: string, isChecked: boolean, onChange: (isChecked: boolean) => void) {
  const made = make("vscode-checkbox", { label });
  made.checked = isChecked;
  made.addEventListener("change", () => onChange(made.checked));
  return made;
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

/** A list to choose one of, named for screen readers; options can be replaced. */
export class Select {
  readonly element = make("vscode-single-select");
  #options = "";

  constructor(label: string, onChange: (value: string) => void) {
    setAttributes(this.element, { label });
    this.element.addEventListener("change", () => onChange(this.element.value));
  }

  update(options: readonly Option[], value: string): void {
    const key = JSON.stringify(options);
    if (key !== this.#options) {
      this.#options = key;
      this.element.replaceChildren(
        ...options.map((option) => make("vscode-option", { value: option.value }, option.label)),
      );
    }
    // The list reads its options when they have been drawn.
    void this.element.updateComplete.then(() => {
      if (this.element.value !== value) this.element.value = value;
    });
  }
}

export function field(label: string, value: string, onInput: (value: string) => void, attributes: Attributes = {}) {
  const input = make("vscode-textfield", attributes);
  input.label = label;
  input.value = value;
  input.addEventListener("input", () => onInput(input.value));
  return input;
}

export function table(caption: string, columns: readonly string[], rows: readonly (readonly string[])[]) {
  const head = make("tr", {}, ...columns.map((column) => make("th", { scope: "col" }, column)));
  const body = rows.map(([first = "", ...others]) =>
    make("tr", {}, make("th", { scope: "row" }, first), ...others.map((cell) => make("td", {}, cell))),
  );
  return make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
}
