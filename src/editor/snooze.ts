import type { Disposable } from "../common/dispose.ts";
import { Emitter } from "../common/emitter.ts";

/** When completions come back: a time in ms since 1970, or the next start of the window. null: not snoozed. */
export type SnoozedUntil = number | "restart" | null;

/** A pause that ends by itself. */
export class Snooze implements Disposable {
  readonly #changed = new Emitter<SnoozedUntil>();
  #until: SnoozedUntil = null;
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.#changed.event;

  get until(): SnoozedUntil {
    return this.#until;
  }

  startFor(minutes: number): void {
    const durationMs = minutes * 60_000;
    this.#set(Date.now() + durationMs);
    this.#timer = setTimeout(() => this.#set(null), durationMs);
  }

  startUntilRestart(): void {
    this.#set("restart");
  }

  end(): void {
    this.#set(null);
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #set(until: SnoozedUntil): void {
    clearTimeout(this.#timer);
    this.#until = until;
    this.#changed.fire(until);
  }
}
