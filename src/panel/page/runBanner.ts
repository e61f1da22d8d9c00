// How far the run is, above everything else, with the switches that steer it.
import { progressText } from "../phrases.ts";
import type { FromPage, LiveRun } from "../protocol.ts";
import { button, make, setText, show } from "./dom.ts";

export class RunBanner {
  readonly element: HTMLElement;
  readonly #bar = make("vscode-progress-bar");
  readonly #what = make("span", { class: "what" });
  readonly #count = make("span", { class: "count" });
  readonly #pause = button("Pause", () => this.#togglePause(), { secondary: true });
  /** Read aloud: not every step, but every tenth of the way. */
  readonly #spoken = make("span", { class: "spoken", role: "status" });
  readonly #send: (message: FromPage) => void;
  #isPaused = false;

  constructor(send: (message: FromPage) => void) {
    this.#send = send;
    this.#bar.ariaLabel = "Progress of the benchmark";
    const cancel = button("Cancel", () => send({ type: "cancel" }), { secondary: true });
    const line = make("div", { class: "row" }, this.#what, this.#count, this.#pause, cancel);
    this.element = make(
      "section",
      { class: "banner", "aria-label": "Running benchmark" },
      this.#bar,
      line,
      this.#spoken,
    );
    show(this.element, false);
  }

  update(run: LiveRun | null): void {
    show(this.element, run !== null);
    if (!run) return;
    this.#isPaused = run.isPaused;
    this.#bar.max = Math.max(run.total, 1);
    this.#bar.value = run.done;
    this.#bar.indeterminate = run.total === 0;
    setText(this.#what, run.what);
    setText(this.#count, run.total === 0 ? "" : progressText(run));
    setText(this.#pause, run.isPaused ? "Continue" : "Pause");
    const tenth = run.total === 0 ? 0 : Math.floor((run.done / run.total) * 10) * 10;
    setText(this.#spoken, run.isPaused ? "The benchmark is paused." : `The benchmark is ${tenth} % done.`);
  }

  #togglePause(): void {
    this.#send({ type: this.#isPaused ? "continue" : "pause" });
  }
}
