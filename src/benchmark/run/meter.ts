// How much of a run is done, and how long the rest will take by what the same kind of work has taken.
import type { SuiteId } from "../suite.ts";

export interface Kind {
  readonly suite: SuiteId;
  readonly subject: string;
}

interface Work extends Kind {
  left: number;
  done: number;
  spentMs: number;
}

export class Meter {
  readonly #works: Work[] = [];

  /** Pieces of work to come. */
  expect(kind: Kind, count: number): void {
    this.#of(kind).left += count;
  }

  /** One piece is done and took this long. */
  count(kind: Kind, ms: number): void {
    const work = this.#of(kind);
    work.left = Math.max(0, work.left - 1);
    work.done++;
    work.spentMs += ms;
  }

  /** Time that belongs to work counted already, such as its score. */
  add(kind: Kind, ms: number): void {
    this.#of(kind).spentMs += ms;
  }

  /** What is left of these will not be done. */
  drop(isDropped: (kind: Kind) => boolean): void {
    for (const work of this.#works) if (isDropped(work)) work.left = 0;
  }

  get done(): number {
    return this.#works.reduce((sum, { done }) => sum + done, 0);
  }

  get total(): number {
    return this.#works.reduce((sum, { done, left }) => sum + done + left, 0);
  }

  /** null while nothing has been done of a suite that is to be done. */
  get remainingMs(): number | null {
    if (this.total === 0) return null;
    let sum = 0;
    for (const work of this.#works) {
      if (work.left === 0) continue;
      const each = meanMs([work]) ?? meanMs(this.#works.filter(({ suite }) => suite === work.suite));
      if (each === null) return null;
      sum += work.left * each;
    }
    return sum;
  }

  #of({ suite, subject }: Kind): Work {
    let work = this.#works.find((each) => each.suite === suite && each.subject === subject);
    if (!work) {
      work = { suite, subject, left: 0, done: 0, spentMs: 0 };
      this.#works.push(work);
    }
    return work;
  }
}

function meanMs(works: readonly Work[]): number | null {
  const done = works.reduce((sum, work) => sum + work.done, 0);
  return done > 0 ? works.reduce((sum, work) => sum + work.spentMs, 0) / done : null;
}
