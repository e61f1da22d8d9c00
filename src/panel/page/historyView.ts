// Runs of before: open, compare, go on with, delete.
import { isAnythingLeft } from "../../benchmark/record/resume.ts";
import { describeState } from "../../benchmark/report/state.ts";
import { formatStart } from "../phrases.ts";
import type { FromPage, RunListEntry, UnreadableEntry } from "../protocol.ts";
import type { PageState } from "../state.ts";
import { button, make, show } from "./dom.ts";

export class HistoryView {
  readonly element: HTMLElement;
  readonly #list = make("ul", { class: "plain runs" });
  readonly #empty = make("p", { class: "empty" }, "No runs yet.");
  readonly #send: (message: FromPage) => void;
  readonly #resume: (runId: string) => void;
  #drawn = "";

  constructor(send: (message: FromPage) => void, resume: (runId: string) => void) {
    this.#send = send;
    this.#resume = resume;
    this.element = make("section", { class: "card", "aria-label": "History" }, this.#empty, this.#list);
  }

  update({ runs, unreadable, view, comparison, live }: PageState): void {
    const shown = view?.runId ?? null;
    const compared = comparison?.runId ?? null;
    const key = JSON.stringify([runs, unreadable, shown, compared, live === null]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    show(this.#empty, runs.length + unreadable.length === 0);
    const entries = runs.map((run) => this.#entry(run, { shown, compared, isIdle: live === null }));
    this.#list.replaceChildren(...entries, ...unreadable.map((run) => this.#unreadable(run)));
  }

  #entry(
    run: RunListEntry,
    { shown, compared, isIdle }: { shown: string | null; compared: string | null; isIdle: boolean },
  ) {
    const { runId, startedAt, state, left, what } = run;
    const name = formatStart(startedAt);
    const mark = runId === shown ? ", shown" : runId === compared ? ", compared" : "";
    const hint = make("p", { class: "hint" }, what);
    const act = (label: string, onClick: () => void) => actOn(name, label, onClick);
    const ask = (label: string, type: "open" | "compare" | "delete") => act(label, () => this.#send({ type, runId }));
    const isDone = state === "running" || (state === "complete" && !isAnythingLeft(left));
    return make(
      "li",
      {},
      make("div", {}, make("strong", {}, name), ` (${describeState(state, left)}${mark})`, hint),
      make(
        "div",
        { class: "row" },
        ask("Open", "open"),
        shown !== null && runId !== shown ? ask("Compare", "compare") : null,
        isIdle && !isDone ? act("Resume", () => this.#resume(runId)) : null,
        state === "running" ? null : ask("Delete", "delete"),
      ),
    );
  }

  #unreadable({ runId, startedAt, problem }: UnreadableEntry): HTMLElement {
    const name = formatStart(startedAt);
    const what = make("div", {}, make("strong", {}, name), " (cannot be read)", make("p", { class: "hint" }, problem));
    return make(
      "li",
      {},
      what,
      actOn(name, "Delete", () => this.#send({ type: "delete", runId })),
    );
  }
}

function actOn(name: string, label: string, onClick: () => void): HTMLElement {
  return button(label, onClick, { secondary: true, "aria-label": `${label} the run of ${name}` });
}
