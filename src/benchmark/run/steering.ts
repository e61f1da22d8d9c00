import type { RunControl } from "./progress.ts";

/** The user's hand on a run. */
export class Steering implements RunControl {
  readonly #cancel = new AbortController();
  readonly signal = this.#cancel.signal;
  #resumed: PromiseWithResolvers | undefined;

  get isPaused(): boolean {
    return this.#resumed !== undefined;
  }

  async whenRunning(): Promise<void> {
    await this.#resumed?.promise;
  }

  pause(): void {
    if (!this.signal.aborted) this.#resumed ??= withResolvers();
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** A paused run ends, too. */
  cancel(): void {
    this.#cancel.abort();
    this.resume();
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** Promise.withResolvers is not in Node 20. */
function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
