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
    this.#spare = watched(this.#prepare(first));
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
      // The machine is quiet again when the verdict comes: what is measured next would suffer from the spare's start.
      await this.#spare.catch(() => {});
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
    const place = spare?.isAlive ? spare : await this.#start();
    // Starts while the program runs.
    this.#spare = watched(this.#start());
    return place;
  }

  async #start(): Promise<Place> {
    if (this.#isDisposed) throw closed();
    return this.#prepare(this.#startPlace());
  }

  async #prepare(place: Place): Promise<Place> {
    this.#living.add(place);
    try {
      await place.ready();
      return place;
    } catch (error) {
      place.kill();
      this.#living.delete(place);
      throw unavailable((error as Error).message, error);
    }
  }
}

/** A failure waits for whoever takes the spare, and is not "unhandled" until then. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
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
