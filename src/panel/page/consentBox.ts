// The user's word on running code of models, wherever it is asked for.
import { isConsentEnough } from "../draft.ts";
import type { CodeOffer, Consent } from "../protocol.ts";
import { checkbox, make } from "./dom.ts";

const labels = {
  full: "Run code that models write, shut in",
  reduced: "Run code that models write with reduced isolation",
};

export class ConsentBox {
  readonly element = make("div", { class: "options" });
  readonly #onChange: (consent: Consent) => void;
  #box: ReturnType<typeof checkbox> | null = null;
  #drawn: CodeOffer | null = null;

  constructor(onChange: (consent: Consent) => void) {
    this.#onChange = onChange;
  }

  update(code: CodeOffer, consent: Consent): void {
    if (code !== this.#drawn) this.#draw(code);
    if (this.#box && code.level !== "unavailable") this.#box.checked = isConsentEnough(consent, code.level);
  }

  focus(): void {
    const box = this.#box;
    // It takes the focus once it has been drawn.
    void box?.updateComplete.then(() => box.focus());
  }

  #draw(code: CodeOffer): void {
    this.#drawn = code;
    const { level, detail } = code;
    this.#box =
      level === "unavailable"
        ? null
        : checkbox(labels[level], false, (isAllowed) => this.#onChange(isAllowed ? level : "none"));
    const hint = make("p", { class: "hint" }, detail);
    this.element.replaceChildren(this.#box ? make("div", { class: "option" }, this.#box, hint) : hint);
  }
}
