// A run that can go on: one that ended with its window, or one of the history that is asked about first, because it runs
// code of models.
import { isConsentEnough, runsCode } from "../draft.ts";
import { formatStart } from "../phrases.ts";
import type { Consent, RunListEntry } from "../protocol.ts";
import type { PageState } from "../state.ts";
import { ConsentBox } from "./consentBox.ts";
import { button, make, setText, show } from "./dom.ts";

interface OfferActions {
  /** The word on running code, of the whole page. */
  readonly consent: () => Consent;
  readonly allow: (consent: Consent) => void;
  readonly resume: (runId: string) => void;
}

export class ResumeOffer {
  readonly element: HTMLElement;
  readonly #text = make("span", { class: "what" });
  readonly #resume = button("Resume", () => this.#goOn());
  readonly #consent: ConsentBox;
  readonly #actions: OfferActions;
  /** Of the history, waiting for the user's word. */
  #askedFor: string | null = null;
  #state: PageState | null = null;
  #runId: string | null = null;

  constructor(actions: OfferActions) {
    this.#actions = actions;
    this.#consent = new ConsentBox(actions.allow);
    const row = make("div", { class: "row" }, this.#text, this.#resume);
    const label = { class: "banner", "aria-label": "Benchmark to resume", hidden: true };
    this.element = make("section", label, row, this.#consent.element);
  }

  /** Resumes the run, or asks first, as the form does before it starts one. */
  take(runId: string): void {
    if (this.#isAllowed(this.#find(runId))) {
      this.#actions.resume(runId);
      return;
    }
    this.#askedFor = runId;
    if (this.#state) this.update(this.#state);
    this.element.scrollIntoView({ block: "nearest" });
    this.#consent.focus();
  }

  update(state: PageState): void {
    this.#state = state;
    if (state.live || state.tab !== "history") this.#askedFor = null;
    const run = this.#find(this.#askedFor) ?? this.#find(state.interrupted);
    this.#runId = run?.runId ?? null;
    show(this.element, run !== undefined);
    if (!run) return;
    const { choices } = state;
    const isAsked = choices !== null && runsCode(run, choices.suites);
    show(this.#consent.element, isAsked);
    if (isAsked) this.#consent.update(choices.code, this.#actions.consent());
    this.#resume.disabled = !this.#isAllowed(run);
    setText(this.#text, `${whatOf(run, state)}${this.#isAllowed(run) ? "" : " Allow running code to go on with it."}`);
  }

  #goOn(): void {
    if (this.#runId === null) return;
    this.#askedFor = null;
    this.#actions.resume(this.#runId);
  }

  #find(runId: string | null): RunListEntry | undefined {
    return this.#state?.runs.find((run) => run.runId === runId);
  }

  #isAllowed(run: RunListEntry | undefined): boolean {
    const choices = this.#state?.choices;
    if (!run || !choices) return false;
    const { level } = choices.code;
    if (!runsCode(run, choices.suites)) return true;
    return level !== "unavailable" && isConsentEnough(this.#actions.consent(), level);
  }
}

function whatOf({ runId, startedAt }: RunListEntry, { interrupted }: PageState): string {
  const name = `The run of ${formatStart(startedAt)}`;
  return runId === interrupted
    ? `${name} was interrupted; nothing of it is lost.`
    : `${name} has suites that run code of models.`;
}
