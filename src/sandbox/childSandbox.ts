// The confined child as a sandbox: a fresh process for each program, one more kept warm.
import { abortable, throwIfCancelled } from "../common/cancellation.ts";
import { AppError } from "../common/errors.ts";
import { ConfinedChild, type Handshake } from "./confinedChild.ts";
import {
  type ChildPlan,
  childCommand,
  judgeIsolation,
  type OptionalLayer,
  permissionFlags,
  unavailable,
} from "./confinement.ts";
import type { Isolation, Sandbox, Verdict } from "./sandbox.ts";

export interface ChildSandboxOptions {
  /** dist/ of the product. */
  readonly folder: string;
  /** The user knows that a wall is missing here and wants to go on. */
  readonly allowReduced: boolean;
  /** Walls left out, for tests of what is done without them. */
  readonly without?: readonly OptionalLayer[];
}

interface ProbedChild {
  readonly child: ConfinedChild;
  readonly plan: ChildPlan;
  readonly handshake: Handshake;
  readonly isolation: Isolation;
}

/**
 * Starts a first child and tries what holds it. Rejects with `sandbox/unavailable` when too little does, and when
 * isolation is reduced and the caller has no consent for that.
 */
export async function createChildSandbox(options: ChildSandboxOptions): Promise<Sandbox> {
  const first = await startFirst(options);
  const { isolation } = first;
  if (isolation.level === "reduced" && !options.allowReduced) {
    first.child.kill();
    const missing = isolation.layers.filter(({ isPresent }) => !isPresent).map(({ name }) => name);
    const why = missing.length > 0 ? `without ${missing.join(", ")}` : "nobody has attacked it on this system yet";
    throw new AppError(
      "sandbox/unavailable",
      `Code from a model would run in reduced isolation here (${why}); that needs your consent.`,
      { level: "reduced" },
    );
  }
  return new ChildSandbox(first);
}

/** What would hold a program here; starts and ends a process, which takes a tenth of a second. */
export async function probeChildIsolation(folder: string): Promise<Isolation> {
  const { child, isolation } = await startFirst({ folder });
  child.kill();
  return isolation;
}

async function startFirst({ folder, without = [] }: Omit<ChildSandboxOptions, "allowReduced">): Promise<ProbedChild> {
  if (process.versions.electron !== undefined) {
    throw unavailable("the editor's own Node does not confine itself; the benchmark panel has a place of its own");
  }
  for (const permissionFlag of [...permissionFlags, null]) {
    const plan = { folder, permissionFlag, without };
    const child = new ConfinedChild(childCommand(plan));
    try {
      const handshake = await child.probed();
      if (!handshake) continue;
      const isolation = judgeIsolation(handshake.helper, handshake.probes, handshake.interpreter);
      return { child, plan, handshake, isolation };
    } catch (error) {
      child.kill();
      throw error instanceof AppError ? error : unavailable((error as Error).message, error);
    }
  }
  throw unavailable(`Node ${process.versions.node} refuses to start a confined child`);
}

class ChildSandbox implements Sandbox {
  readonly isolation: Isolation;
  readonly #plan: ChildPlan;
  /** Of the first child; every other must show the same. */
  readonly #fingerprint: string;
  #spare: Promise<ConfinedChild>;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #living = new Set<ConfinedChild>();
  #isDisposed = false;

  constructor({ child, plan, handshake, isolation }: ProbedChild) {
    this.isolation = isolation;
    this.#plan = plan;
    this.#fingerprint = fingerprint(handshake);
    this.#living.add(child);
    this.#spare = watched(child.ready().then(() => child));
  }

  run(source: string, signal?: AbortSignal): Promise<Verdict> {
    const verdict = this.#turn.then(() => this.#run(source, signal));
    this.#turn = verdict.catch(() => {}); // Its own caller hears of it.
    return abortable(verdict, signal);
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const child of this.#living) child.kill();
    this.#living.clear();
  }

  async #run(source: string, signal: AbortSignal | undefined): Promise<Verdict> {
    throwIfCancelled(signal);
    const child = await this.#take();
    // Starts while the program runs, on another core; the program's limit is processor time of its own.
    this.#spare = watched(this.#start());
    try {
      throwIfCancelled(signal);
      const verdict = await child.run(source, signal);
      if (this.#isDisposed) throw closed();
      return verdict;
    } finally {
      child.kill();
      this.#living.delete(child);
    }
  }

  /** The spare may have ended since, as when memory ran out: then one more is tried. */
  async #take(): Promise<ConfinedChild> {
    const spare = await this.#spare.catch(() => null);
    if (spare?.isAlive) return spare;
    return this.#start();
  }

  async #start(): Promise<ConfinedChild> {
    if (this.#isDisposed) throw closed();
    const child = new ConfinedChild(childCommand(this.#plan));
    this.#living.add(child);
    try {
      const handshake = await child.probed();
      if (!handshake || fingerprint(handshake) !== this.#fingerprint) {
        throw new Error("a child is held by other walls than the first one was");
      }
      await child.ready();
      return child;
    } catch (error) {
      child.kill();
      this.#living.delete(child);
      throw unavailable((error as Error).message, error);
    }
  }
}

const closed = () => unavailable("the sandbox was closed");

/** A failure waits for whoever takes it, and is not "unhandled" until then. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function fingerprint({ helper, probes }: Handshake): string {
  return JSON.stringify([helper && { ...helper, pid: 0 }, probes]);
}
