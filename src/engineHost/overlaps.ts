export interface Running {
  /** Ends it; how many others there were. A second call says the same. */
  end(): number;
}

/** Counts, for each generation, the others that ran while it did. */
export class Overlaps {
  readonly #running = new Set<{ others: number }>();

  begin(): Running {
    const own = { others: this.#running.size };
    for (const other of this.#running) other.others++;
    this.#running.add(own);
    const end = () => {
      this.#running.delete(own);
      return own.others;
    };
    return { end };
  }
}
