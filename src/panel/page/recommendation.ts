// The answer of a run: which of its subjects to complete with, and the way to do so.
import type { RunView } from "../runView.ts";
import type { PageState } from "../state.ts";
import { CountField } from "./countField.ts";
import { button, make, setText, show } from "./dom.ts";

interface RecommendationActions {
  readonly budget: (ms: number) => void;
  readonly use: (subject: string) => void;
}

export class Recommendation {
  readonly element: HTMLElement;
  readonly #text = make("p", { class: "answer", role: "status" });
  readonly #use;
  readonly #budget: CountField;
  #subject: string | null = null;
  #budgetMs: number | null = null;

  constructor({ budget, use }: RecommendationActions) {
    this.#budget = new CountField("A line of 25 tokens may take (ms)", (ms) => {
      if (!ms) return;
      this.#budgetMs = ms;
      budget(ms);
    });
    this.#use = button("Use for completion", () => this.#subject !== null && use(this.#subject));
    const header = make("header", {}, make("h3", {}, "Which model to use here"), this.#budget.element);
    this.element = make("section", { class: "card", "aria-label": "Recommendation" }, header, this.#text, this.#use);
  }

  update({ rows }: RunView, { recommendation }: PageState, budgetMs: number): void {
    // What is being typed stays as it is.
    if (budgetMs !== this.#budgetMs) this.#budget.value = budgetMs;
    this.#budgetMs = budgetMs;
    this.#subject = recommendation?.subject ?? null;
    setText(this.#text, recommendation?.text ?? "");
    show(
      this.#use,
      rows.some(({ id, canBeUsed }) => id === this.#subject && canBeUsed),
    );
  }
}
