import { isOnBattery } from "../common/battery.ts";
import type { Disposable } from "../common/dispose.ts";

/** Asking costs a process on macOS and Windows. */
const askEveryMs = 5 * 60_000;

export class Power implements Disposable {
  #onBattery = false;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    const ask = async () => {
      this.#onBattery = await isOnBattery();
    };
    void ask();
    this.#timer = setInterval(() => void ask(), askEveryMs);
  }

  /** As of the last minutes; false where it cannot be told. */
  get onBattery(): boolean {
    return this.#onBattery;
  }

  dispose(): void {
    clearInterval(this.#timer);
  }
}
