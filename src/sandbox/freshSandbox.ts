// A sandbox that runs each program in a place of its own and keeps one more warm.
import { abortable, throwIfCancelled } from "../common/cancellation.ts";
import { AppError } from "../common/errors.ts";
import type { Place } from "./place.ts";
import type { Isolation, Sandbox, Verdict } from "./sandbox.ts";

export class FreshSandbox implements Sandbox {
  readonly isolation: Isolation;
  readonly #startPlace: () => Place;
  readonly #living = new Set<Place>();
  #spare: Promise<Place>;
  #turn: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  constructor(isolation: Isolation, first: Place, startPlace: () => Place) {
    this.isolation = isolation;
    this.#startPlace = startPlace;
    this.#spare = this.#prepare(first);
  }

  run(source: string, signal?: AbortSignal): Promise<Verdict> {
    const verdict = this.#turn.then(() => this.#run(source, signal));
    this.#turn = verdict.catch(() => {}); // Its own caller hears of it.
    return abortable(verdict, signal);
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const place of this.#living) place.kill();
    this.#living.clear();
  }

  async #run(source: string, signal: AbortSignal | undefined): Promise<Verdict> {
    throwIfCancelled(signal);
    const place = await this.#take();
    try {
      throwIfCancelled(signal);
      const verdict = await place.run(source, signal);
      if (this.#isDisposed) throw closed();
      return verdict;
    } finally {
      place.kill();
      this.#living.delete(place);
    }
  }

  /** The spare may have ended since, as when memory ran out: then one more is tried. */
  async #take(): Promise<Place> {
    const spare = await this.#spare.catch(() => null);
    const place = spare?.isAlive ? spare : await this.#prepare(this.#start());
    // Starts while the program runs, on another core.
    if (!this.#isDisposed) this.#spare = this.#prepare(this.#start());
    return place;
  }

  #start(): Place {
    if (this.#isDisposed) throw closed();
    return this.#startPlace();
  }

  #prepare(place: Place): Promise<Place> {
    this.#living.add(place);
    const prepared = place.ready().then(
      () => place,
      (error: Error) => {
        place.kill();
        this.#living.delete(place);
        throw unavailable(error.message, error);
      },
    );
    prepared.catch(() => {}); // Waits for whoever takes it, and is not "unhandled" until then.
    return prepared;
  }
}

const closed = () => unavailable("the sandbox was closed");

export function unavailable(reason: string, cause?: unknown): AppError {
  return new AppError("sandbox/unavailable", `Code from a model is not run here: ${reason}.`, {}, cause);
}

/** Throws when a wall is missing and the user has not agreed to that. */
export function requireConsent({ level, layers }: Isolation, allowReduced: boolean): void {
  if (level === "full" || allowReduced) return;
  const missing = layers.filter(({ isPresent }) => !isPresent).map(({ name }) => name);
  const why = missing.length > 0 ? `without ${missing.join(", ")}` : "nobody has attacked it on this system yet";
  throw new AppError(
    "sandbox/unavailable",
    `Code from a model would run in reduced isolation here (${why}); that needs your consent.`,
    { level },
  );
}
