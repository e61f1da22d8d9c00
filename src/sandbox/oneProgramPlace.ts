// What a process and a worker do alike: they show their walls, start Python, get one program, and end with its verdict.
import { cancelled } from "../common/cancellation.ts";
import {
  describeUnexpected,
  judge,
  Mailbox,
  type Place,
  type PlaceEnd,
  type PlaceMessage,
  type RunRequest,
} from "./place.ts";
import { sandboxLimits, type Verdict } from "./sandbox.ts";

/** What a place showed before Python ran in it. */
export interface Shown<Probes> {
  readonly probes: Probes;
  readonly interpreter: string;
  /** The same for every place that is held by the same walls. */
  readonly fingerprint: string;
}

export interface StartOptions {
  readonly startTimeoutMs: number;
  /** Of the place whose walls were judged; null for that place itself. */
  readonly expectedFingerprint: string | null;
}

export abstract class OneProgramPlace<Probes> implements Place {
  readonly #mailbox = new Mailbox<PlaceMessage<Probes> | PlaceEnd>();
  readonly #startTimeoutMs: number;
  readonly #expected: string | null;
  #isProbed = false;
  #isAlive = true;

  constructor({ startTimeoutMs, expectedFingerprint }: StartOptions) {
    this.#startTimeoutMs = startTimeoutMs;
    this.#expected = expectedFingerprint;
  }

  /** As a subject: "the worker". */
  protected abstract readonly name: string;

  /** Never fails: when the other side is gone, it has been told. */
  protected abstract send(request: RunRequest): void;

  /** Called once at most. */
  protected abstract terminate(): void;

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** What holds the place. Rejects when it says nothing usable. */
  async probed(): Promise<Shown<Probes>> {
    const message = await this.#receiveWithin(this.#startTimeoutMs, "crashed", `${this.name} did not start`);
    if (message.type !== "probed") throw new Error(describeUnexpected(message));
    this.#isProbed = true;
    const { probes, interpreter } = message;
    return { probes, interpreter, fingerprint: JSON.stringify(probes) };
  }

  async ready(): Promise<void> {
    if (!this.#isProbed && (await this.probed()).fingerprint !== this.#expected) {
      throw new Error(`${this.name} is held by other walls than the first one was`);
    }
    const message = await this.#receiveWithin(this.#startTimeoutMs, "crashed", "Python did not start");
    if (message.type !== "ready") throw new Error(describeUnexpected(message));
  }

  async run(source: string, signal: AbortSignal | undefined): Promise<Verdict> {
    const nonce = crypto.randomUUID();
    const start = performance.now();
    const onAbort = () => this.stop("crashed", "cancelled");
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      this.send({ source, nonce });
      const late = `more than ${sandboxLimits.wallMs / 1000} s`;
      const answer = await this.#receiveWithin(sandboxLimits.wallMs, "timeout", late);
      if (signal?.aborted) throw cancelled();
      return { ...judge(answer, nonce), wallMs: performance.now() - start };
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.kill();
    }
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.terminate();
  }

  /** What the other side sent; null when it never sends that. */
  protected deliver(message: PlaceMessage<Probes> | null): void {
    if (message) this.#mailbox.deliver(message);
    else this.stop("crashed", `${this.name} sent what it never sends`);
  }

  protected stop(outcome: Verdict["outcome"], how: string): void {
    this.kill();
    this.ended(outcome, how);
  }

  /** Nothing more comes. Whoever asks first gets the first reason. */
  protected ended(outcome: Verdict["outcome"], how: string): void {
    this.#isAlive = false;
    this.#mailbox.deliver({ type: "gone", outcome, how });
  }

  #receiveWithin(
    timeoutMs: number,
    outcome: Verdict["outcome"],
    how: string,
  ): Promise<PlaceMessage<Probes> | PlaceEnd> {
    return this.#mailbox.receiveWithin(timeoutMs, () => {
      this.kill();
      return { type: "gone", outcome, how };
    });
  }
}
