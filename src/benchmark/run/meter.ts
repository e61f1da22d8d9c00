// How much of a run is done, and how long the rest will take by what has been done so far.
import type { SuiteId } from "../suite.ts";
import { tokensPerTask } from "./estimate.ts";

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

  /** One piece will not be done. */
  miss(kind: Kind): void {
    const work = this.#of(kind);
    work.left = Math.max(0, work.left - 1);
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

  /** null while nothing has been done. */
  get remainingMs(): number | null {
    if (this.done === 0) return null;
    return this.#works.reduce((sum, work) => sum + (work.left > 0 ? work.left * this.#eachMs(work) : 0), 0);
  }

  /** As long as pieces of the same work took, else of the most similar. */
  #eachMs(work: Work): number {
    const others = this.#works.filter(({ done }) => done > 0);
    const sameSuite = others.filter(({ suite }) => suite === work.suite);
    const sameSubject = others.filter(({ subject }) => subject === work.subject);
    const similar = [sameSuite.filter(({ subject }) => subject === work.subject), sameSuite, sameSubject, others];
    return meanMs(similar.find((works) => works.length > 0) ?? [], work.suite);
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

/** Of a piece of a suite, by pieces of these works; those of other suites are longer or shorter. */
function meanMs(works: readonly Work[], suite: SuiteId): number {
  const spentMs = works.reduce((sum, work) => sum + work.spentMs, 0);
  const tokens = works.reduce((sum, work) => sum + work.done * tokensPerTask(work.suite), 0);
  return (spentMs / tokens) * tokensPerTask(suite);
}
