// Spreads drawing over frames: a run that goes on must not make the editor stutter.

/** Work in one frame stops after so long; a single task may take longer, so tasks are small: one chart, one table. */
const budgetMs = 8;

export class FrameQueue {
  readonly #tasks = new Map<string, () => void>();
  #isRequested = false;

  /** A task that waits under the same key is replaced: only the newest state is drawn. */
  request(key: string, task: () => void): void {
    this.#tasks.set(key, task);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isRequested) return;
    this.#isRequested = true;
    requestAnimationFrame(() => this.#run());
  }

  #run(): void {
    this.#isRequested = false;
    const start = performance.now();
    for (const [key, task] of this.#tasks) {
      this.#tasks.delete(key);
      task();
      if (performance.now() - start > budgetMs) break;
    }
    if (this.#tasks.size > 0) this.#schedule();
  }
}
