// The form: who is measured, by what, how long it takes, and what is allowed.

import { modeChoices } from "../../protocol/model.ts";
import { firstDraft, modeLabels, problemOf, runsCode, toggled } from "../draft.ts";
import { formatEstimateTime } from "../phrases.ts";
import type { Consent, FromPage, ModelChoice, RunDraft, StartChoices, SuiteOffer } from "../protocol.ts";
import type { PageState } from "../state.ts";
import { ConsentBox } from "./consentBox.ts";
import { CountField } from "./countField.ts";
import { button, checkbox, make, setText, show } from "./dom.ts";
import { ServerList } from "./serverList.ts";

const estimateDelayMs = 250;

const lead =
  "Measures on this machine how fast models complete code and how good their answers are. " +
  "Start measures the speed of the model in use; choose more to compare.";

export class StartView {
  readonly element = make("div", { class: "form" });
  readonly #send: (message: FromPage) => void;
  readonly #models = make("div", { class: "options" });
  readonly #shapes = make("div", { class: "options" });
  readonly #suites = make("div", { class: "options" });
  readonly #consent = new ConsentBox((consent) => this.allow(consent));
  readonly #onConsent: () => void;
  readonly #consentGroup: HTMLElement;
  readonly #shapesGroup: HTMLElement;
  readonly #estimate = make("p", { class: "hint", role: "status" });
  readonly #limit = new CountField("Problems of each quality suite", (limit) => this.#count("limit", limit), {
    isOptional: true,
  });
  readonly #rounds = new CountField("Rounds of each speed suite", (rounds) => this.#count("rounds", rounds));
  /** Fields in which no number stands; the draft keeps the last one that did. */
  readonly #uncounted = new Set<"limit" | "rounds">();
  readonly #servers = new ServerList((servers) => this.#change({ servers }));
  readonly #start = button("Start", () => this.#startRun());
  #choices: StartChoices | null = null;
  #draft: RunDraft | null = null;
  #isLive = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the drafts; an answer to an older one is out of date. */
  draftId = 0;

  /** `onConsent` hears when the user's word on running code changes. */
  constructor(send: (message: FromPage) => void, onConsent: () => void) {
    this.#send = send;
    this.#onConsent = onConsent;
    const browse = button("Browse…", () => send({ type: "browseModel" }), { secondary: true });
    this.#shapesGroup = group("Sizes", "Weights are made up on this machine: speed does not depend on their values.", [
      this.#shapes,
    ]);
    this.#consentGroup = group("Running code of models", "", [this.#consent.element]);
    this.element.append(
      make("p", {}, lead),
      group("Models", "Files on this machine.", [this.#models, browse]),
      group("Modes", "Each model and size runs in each of them.", [this.#modes()]),
      group("Servers", "What else runs here: Ollama, llama-server, anything with an OpenAI-compatible address.", [
        this.#servers.element,
      ]),
      this.#shapesGroup,
      group("Suites", "", [this.#suites]),
      group("How much", "", [this.#limits()]),
      this.#consentGroup,
      make("div", { class: "actions" }, this.#start, this.#estimate),
    );
  }

  /** To running code of models, as the form says it now. */
  get consent(): Consent {
    return this.#draft?.consent ?? "none";
  }

  /** Says it for the form and for whatever is gone on with. */
  allow(consent: Consent): void {
    this.#change({ consent });
    this.#onConsent();
  }

  update({ choices, estimate, live }: PageState): void {
    this.#isLive = live !== null;
    if (choices && choices !== this.#choices) this.#take(choices);
    if (!choices || !this.#draft) return;
    const problem = this.#isLive
      ? "A benchmark is running; another can start when it has ended."
      : (this.#problem ?? estimate?.problem ?? null);
    this.#start.disabled = problem !== null;
    setText(this.#estimate, problem ?? (estimate ? formatEstimateTime(estimate) : "Working out how long it takes…"));
  }

  #take(choices: StartChoices): void {
    const before = this.#choices?.models ?? choices.models;
    this.#choices = choices;
    if (!this.#draft) {
      this.#draft = firstDraft(choices);
      this.#limit.value = this.#draft.limit;
      this.#rounds.value = this.#draft.rounds;
    }
    const [was, is] = [before, choices.models].map((models) => models.find(({ isActive }) => isActive)?.path);
    const [only, ...others] = this.#draft.models;
    // As long as nothing else was chosen, it is the model in use that is measured.
    if (is !== undefined && only === was && others.length === 0) this.#draft = { ...this.#draft, models: [is] };
    // A model that was just browsed for is wanted.
    const isNew = ({ path, isActive }: ModelChoice) => !isActive && !before.some((other) => other.path === path);
    const added = choices.models.filter(isNew).map(({ path }) => path);
    const draft = { ...this.#draft, models: [...new Set([...this.#draft.models, ...added])] };
    this.#draft = draft;
    this.#models.replaceChildren(
      ...choices.models.map(({ path, label, detail, isActive }) =>
        this.#option(isActive ? `${label} (in use)` : label, detail, draft.models.includes(path), (isIn) =>
          this.#change({ models: toggled(this.#current.models, path, isIn) }),
        ),
      ),
    );
    this.#shapes.replaceChildren(
      ...choices.shapes.map(({ id, label }) =>
        checkbox(label, draft.shapes.includes(id), (isIn) =>
          this.#change({ shapes: toggled(this.#current.shapes, id, isIn) }),
        ),
      ),
    );
    show(this.#shapesGroup, choices.shapes.length > 0);
    this.#suites.replaceChildren(...choices.suites.map((offer) => this.#suite(offer)));
    this.#changed();
  }

  /** Only used once choices have come. */
  get #current(): RunDraft {
    if (!this.#draft) throw new Error("The form was used before it was filled.");
    return this.#draft;
  }

  /** Why this cannot start, as far as the form itself can tell. */
  get #problem(): string | null {
    if (!this.#draft || !this.#choices) return null;
    if (this.#uncounted.size > 0) return "Correct the numbers.";
    return this.#servers.isPending ? "Add the server, or clear its address." : problemOf(this.#draft, this.#choices);
  }

  #suite({ id, title, description, fetches, taskCount }: SuiteOffer): HTMLElement {
    const count = taskCount === null ? "" : ` ${taskCount} tasks.`;
    const detail = `${description}${count}${fetches === null ? "" : ` ${fetches}`}`;
    return this.#option(title, detail, this.#current.suites.includes(id), (isIn) =>
      this.#change({ suites: toggled(this.#current.suites, id, isIn) }),
    );
  }

  #option(label: string, detail: string, isChecked: boolean, onChange: (isIn: boolean) => void): HTMLElement {
    return make("div", { class: "option" }, checkbox(label, isChecked, onChange), make("p", { class: "hint" }, detail));
  }

  #modes(): HTMLElement {
    const boxes = modeChoices.map((mode) =>
      checkbox(modeLabels[mode], mode === "auto", (isIn) =>
        this.#change({ modes: toggled(this.#current.modes, mode, isIn) }),
      ),
    );
    return make("div", { class: "options" }, ...boxes);
  }

  #limits(): HTMLElement {
    const pause = checkbox("Pause completions while it runs", false, (isPaused) =>
      this.#change({ completions: isPaused ? "paused" : "ahead" }),
    );
    return make(
      "div",
      { class: "options" },
      this.#limit.element,
      this.#rounds.element,
      pause,
      make("p", { class: "hint" }, "Otherwise completions go first, and the record says when one ran meanwhile."),
    );
  }

  #count(name: "limit" | "rounds", count: number | null | undefined): void {
    if (count === undefined) this.#uncounted.add(name);
    else this.#uncounted.delete(name);
    this.#change(count === undefined ? {} : { [name]: count });
  }

  #change(part: Partial<RunDraft>): void {
    if (!this.#draft) return;
    this.#draft = { ...this.#draft, ...part };
    this.#changed();
  }

  #changed(): void {
    if (!this.#draft || !this.#choices) return;
    const { suites, code } = this.#choices;
    show(this.#consentGroup, runsCode(this.#draft, suites));
    this.#consent.update(code, this.#draft.consent);
    const problem = this.#problem;
    this.#start.disabled = problem !== null || this.#isLive;
    setText(this.#estimate, problem ?? "Working out how long it takes…");
    this.draftId++;
    clearTimeout(this.#timer);
    if (problem !== null) return;
    const message = { type: "estimate", draftId: this.draftId, draft: this.#draft } as const;
    this.#timer = setTimeout(() => this.#send(message), estimateDelayMs);
  }

  #startRun(): void {
    if (this.#draft) this.#send({ type: "start", draft: this.#draft });
  }
}

function group(title: string, hint: string, parts: readonly Node[]): HTMLElement {
  const legend = make("legend", {}, title);
  return make("fieldset", {}, legend, hint === "" ? null : make("p", { class: "hint" }, hint), ...parts);
}
