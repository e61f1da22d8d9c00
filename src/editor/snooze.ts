import type { Disposable } from "../common/dispose.ts";
import { Emitter } from "../common/emitter.ts";

/** When completions come back: a time in ms since 1970, the next start of the window, or the end of the benchmark. */
export type SnoozeEnd = number | "restart" | "benchmark";

/** null: not snoozed. */
export type SnoozedUntil = SnoozeEnd | null;

/** A pause that ends by itself. */
export class Snooze implements Disposable {
  readonly #changed = new Emitter<SnoozedUntil>();
  #until: SnoozedUntil = null;
  #holds = 0;
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.#changed.event;

  get until(): SnoozedUntil {
    return this.#holds > 0 ? "benchmark" : this.#until;
  }

  startFor(minutes: number): void {
    const durationMs = minutes * 60_000;
    this.#set(Date.now() + durationMs);
    this.#timer = setTimeout(() => this.#set(null), durationMs);
  }

  startUntilRestart(): void {
    this.#set("restart");
  }

  /** Also snoozed until the hold is given back; a snooze of the user's own stays what it is. */
  hold(): Disposable {
    let isHeld = true;
    this.#changeHolds(1);
    return {
      dispose: () => {
        if (isHeld) this.#changeHolds(-1);
        isHeld = false;
      },
    };
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
    this.#changed.fire(this.until);
  }

  #changeHolds(change: 1 | -1): void {
    this.#holds += change;
    this.#changed.fire(this.until);
  }
}
