// A field for a number of things, which says at once what is wrong with what stands in it.
import { countIn } from "../draft.ts";
import { field, make, setText, show } from "./dom.ts";

export class CountField {
  readonly element: HTMLElement;
  readonly #input;
  readonly #problem: HTMLElement;

  /** `onChange` gets null for an empty field where that means something, and undefined for what is no number of things. */
  constructor(label: string, onChange: (count: number | null | undefined) => void, { isOptional = false } = {}) {
    // As text: of a number field, what is no number cannot be told from nothing.
    this.#input = field(label, "", (text) => this.#take(text, isOptional, onChange), { class: "count" });
    this.#problem = make("p", { class: "problem", role: "alert", hidden: true });
    const shown = isOptional ? `${label} (empty: all)` : label;
    this.element = make("div", {}, make("label", {}, shown, this.#input), this.#problem);
  }

  set value(count: number | null) {
    this.#input.value = count === null ? "" : String(count);
  }

  #take(text: string, isOptional: boolean, onChange: (count: number | null | undefined) => void): void {
    const count = isOptional && text.trim() === "" ? null : countIn(text);
    this.#input.invalid = count === undefined;
    setText(this.#problem, count === undefined ? problemText(isOptional) : "");
    show(this.#problem, count === undefined);
    onChange(count);
  }
}

function problemText(isOptional: boolean): string {
  return `A whole number of at least 1${isOptional ? ", or nothing for all" : ""}.`;
}
