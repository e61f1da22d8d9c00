// The subjects that are measured together: opened, kept open side by side where they fit, and closed.
import { AppError, sentence, toAppError } from "../../common/errors.ts";
import { formatDuration } from "../../common/formatDuration.ts";
import type { OnOpening, Subject, SubjectDefinition, SubjectFacts } from "../subject.ts";
import type { Journal } from "./journal.ts";
import type { Teller } from "./teller.ts";

export interface Contestant {
  readonly id: string;
  readonly label: string;
  readonly subject: Subject;
  /** It has answered once since it was opened, or since a pause. */
  isWarm: boolean;
}

interface Entrant extends Contestant {
  isOpen: boolean;
}

export class Field {
  readonly #entrants: readonly Entrant[];
  readonly #journal: Journal;
  readonly #teller: Teller;
  readonly #signal: AbortSignal;
  #isTogether = true;

  constructor(
    definitions: readonly SubjectDefinition[],
    create: (definition: SubjectDefinition) => Subject,
    told: { readonly journal: Journal; readonly teller: Teller; readonly signal: AbortSignal },
  ) {
    this.#entrants = definitions.map((definition) => ({
      id: definition.id,
      label: definition.label,
      subject: create(definition),
      isWarm: false,
      isOpen: false,
    }));
    this.#journal = told.journal;
    this.#teller = told.teller;
    this.#signal = told.signal;
  }

  get contestants(): readonly Contestant[] {
    return this.#entrants;
  }

  /** False: there is room for one at a time. */
  get isTogether(): boolean {
    return this.#isTogether;
  }

  /** Those that cannot be opened are left out. */
  async open(): Promise<void> {
    for (const entrant of this.#entrants) {
      if (!this.#isTogether) return;
      try {
        await this.#open(entrant);
      } catch (error) {
        this.#rethrowCancel(error);
        if (isForLackOfMemory(error) && this.#entrants.some(({ isOpen }) => isOpen)) await this.#giveUpTogether(error);
        else await this.#teller.fail(entrant.id, null, error);
      }
    }
  }

  /** Opens it when it is not. Rejects when it cannot be. */
  async ready(contestant: Contestant): Promise<void> {
    const entrant = this.#entrants.find(({ id }) => id === contestant.id);
    if (!entrant || entrant.isOpen) return;
    if (!this.#isTogether) await this.#unloadAll();
    await this.#open(entrant);
  }

  /** It is no longer there, and opened again when it is next needed. */
  async lose(contestant: Contestant): Promise<void> {
    const entrant = this.#entrants.find(({ id }) => id === contestant.id);
    if (!entrant) return;
    await entrant.subject.unload();
    entrant.isOpen = false;
  }

  cool(): void {
    for (const entrant of this.#entrants) entrant.isWarm = false;
  }

  async close(): Promise<void> {
    for (const { subject } of this.#entrants) await subject.close();
  }

  async #open(entrant: Entrant): Promise<void> {
    this.#teller.tell("opening", entrant.label);
    const onProgress: OnOpening = (what, fraction, remainingMs) => {
      const left = remainingMs ? `, about ${formatDuration(remainingMs)} left` : "";
      this.#teller.tell("opening", `${entrant.label}: ${what}, ${Math.floor(100 * fraction)} %${left}`);
    };
    const facts = await entrant.subject.open(onProgress, this.#signal);
    const before = this.#journal.factsBefore(entrant.id);
    if (before) await this.#compare(entrant, before, facts);
    entrant.isOpen = true;
    entrant.isWarm = false;
    await this.#journal.append({ type: "subject", subject: entrant.id, facts });
  }

  /** Of one that was open before, as in a run that is resumed. Rejects when it is no longer the same model. */
  async #compare({ id, label, subject }: Entrant, before: SubjectFacts, now: SubjectFacts): Promise<void> {
    if (before.sha256 !== null && now.sha256 !== null && before.sha256 !== now.sha256) {
      await subject.unload();
      const message = `${label} has the hash ${now.sha256}, and had ${before.sha256} when the run began; start a new run`;
      throw new AppError("record/invalid", message, { before: before.sha256, now: now.sha256 });
    }
    const names = ["mode", "placement", "server"] as const;
    const changes = names.filter((name) => before[name] !== now[name]);
    if (changes.length === 0) return;
    const told = changes.map((name) => `${name}: ${before[name] ?? "unknown"}, now ${now[name] ?? "unknown"}`);
    const message = `It does not run as it did when the run began: ${told.join("; ")}.`;
    const advice = "Do not compare its speed before with that after; better run it anew.";
    await this.#teller.warn({ code: "resumed", message, advice }, id);
  }

  async #giveUpTogether(error: unknown): Promise<void> {
    this.#isTogether = false;
    await this.#unloadAll();
    await this.#teller.warn({
      code: "in-turn",
      message: `The subjects do not fit in memory together and are loaded one at a time: ${sentence(toAppError(error).message)}`,
      advice: "Compare fewer or smaller models in one run: their turns are further apart now.",
    });
  }

  async #unloadAll(): Promise<void> {
    for (const entrant of this.#entrants) {
      if (!entrant.isOpen) continue;
      await entrant.subject.unload();
      entrant.isOpen = false;
    }
  }

  #rethrowCancel(error: unknown): void {
    if (this.#signal.aborted) throw error;
  }
}

function isForLackOfMemory(error: unknown): boolean {
  return ["model/too-large", "device/out-of-memory"].includes(toAppError(error).code);
}
