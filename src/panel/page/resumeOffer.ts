// A run that ended with its window, and the way to go on with it.
import { formatStart } from "../phrases.ts";
import type { PageState } from "../state.ts";
import { button, make, setText, show } from "./dom.ts";

export class ResumeOffer {
  readonly element: HTMLElement;
  readonly #text = make("span", { class: "what" });
  #runId: string | null = null;

  constructor(resume: (runId: string) => void) {
    const goOn = button("Resume", () => {
      if (this.#runId !== null) resume(this.#runId);
    });
    const row = make("div", { class: "row" }, this.#text, goOn);
    this.element = make("section", { class: "banner", "aria-label": "Interrupted benchmark", hidden: true }, row);
  }

  update({ interrupted, runs }: PageState): void {
    const run = runs.find(({ runId }) => runId === interrupted);
    this.#runId = run?.runId ?? null;
    show(this.element, run !== undefined);
    if (run) setText(this.#text, `The run of ${formatStart(run.startedAt)} was interrupted; nothing of it is lost.`);
  }
}
