// How much longer a load takes.

/** Sooner a pace means nothing, and a load that is over sooner is not worth the words. */
const leastMs = 1_000;
const leastTotalMs = 3_000;

/** Reading a file, packing its matrices and clearing memory go at paces of their own: the newer half of the time counts. */
export class LoadPace {
  #startedMs = 0;
  #told: { readonly atMs: number; readonly fraction: number }[] = [];

  constructor(nowMs: number) {
    this.#begin(0, nowMs);
  }

  /** null: too early to tell, or too short to matter. */
  remainingMs(fraction: number, nowMs: number): number | null {
    // A load that failed on the GPU begins anew on the CPU.
    if (fraction < (this.#told.at(-1)?.fraction ?? 0)) this.#begin(fraction, nowMs);
    this.#told.push({ atMs: nowMs, fraction });
    const elapsedMs = nowMs - this.#startedMs;
    while (this.#told[1] && this.#told[1].atMs <= nowMs - elapsedMs / 2) this.#told.shift();
    const since = this.#told[0];
    if (!since || elapsedMs < leastMs || fraction === since.fraction) return null;
    const remainingMs = ((1 - fraction) * (nowMs - since.atMs)) / (fraction - since.fraction);
    return elapsedMs + remainingMs < leastTotalMs ? null : Math.round(remainingMs);
  }

  #begin(fraction: number, nowMs: number): void {
    this.#startedMs = nowMs;
    this.#told = [{ atMs: nowMs, fraction }];
  }
}
