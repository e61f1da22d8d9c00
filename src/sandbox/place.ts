// What both places have in common: a process or a worker that shows its walls, starts Python, runs one program and is
// thrown away; what it says, and how that is believed.
import type { ProgramEnd } from "./interpreter.ts";
import type { Verdict } from "./sandbox.ts";

/** One process or worker, for one program. */
export interface Place {
  readonly isAlive: boolean;
  /** Its walls are those that were judged, and Python waits for its program. */
  ready(): Promise<void>;
  /** Ends the place, whatever the program does. Rejects with `request/cancelled` only. */
  run(source: string, signal: AbortSignal | undefined): Promise<Verdict>;
  kill(): void;
}

/** The only request. The nonce comes back with the verdict; the program is given no way to learn it. */
export interface RunRequest {
  readonly source: string;
  readonly nonce: string;
}

/** What a place sends, in this order. `Probes`: what it could do before any Python ran. */
export type PlaceMessage<Probes> =
  | { readonly type: "probed"; readonly interpreter: string; readonly probes: Probes }
  | { readonly type: "ready" }
  | { readonly type: "unable"; readonly reason: string }
  | ({ readonly type: "ended"; readonly nonce: string } & ProgramEnd);

const { assign, create } = Object;

/** Without a prototype: whatever the program did to those, nothing of it is met on the way out. */
export function ended(nonce: string, { outcome, message }: ProgramEnd): PlaceMessage<never> {
  return assign(create(null) as object, { type: "ended" as const, nonce, outcome, message });
}

/** Said about the place, not by it: nothing comes any more, or nothing is listened to. */
export interface PlaceEnd {
  readonly type: "gone";
  /** What that means for a program that was running. */
  readonly outcome: Verdict["outcome"];
  readonly how: string;
}

const textLimit = 1_000;
const outcomes = ["passed", "failed", "syntax-error", "memory", "crashed"] as const;

/**
 * The message, or null when a place would never send this. The sender may be the program, which could have taken the
 * place over: only what has exactly the expected shape counts.
 */
export function parsePlaceMessage<Probes>(
  value: unknown,
  parseProbes: (value: Record<string, unknown>) => Probes | null,
): PlaceMessage<Probes> | null {
  if (!isRecord(value)) return null;
  switch (value.type) {
    case "probed": {
      const probes = isRecord(value.probes) ? parseProbes(value.probes) : null;
      return probes && isText(value.interpreter) ? { type: "probed", interpreter: value.interpreter, probes } : null;
    }
    case "ready":
      return { type: "ready" };
    case "unable":
      return isText(value.reason) ? { type: "unable", reason: value.reason } : null;
    case "ended":
      return parseEnd(value);
    default:
      return null;
  }
}

function parseEnd({ nonce, outcome: name, message }: Record<string, unknown>): PlaceMessage<never> | null {
  const outcome = outcomes.find((each) => each === name);
  if (!outcome || !isText(nonce)) return null;
  if (outcome === "passed") return message === null ? { type: "ended", nonce, outcome, message } : null;
  return isText(message) ? { type: "ended", nonce, outcome, message } : null;
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= textLimit;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The verdict in the answer to a request: the nonce is known to the place's own code only. */
export function judge(answer: PlaceMessage<unknown> | PlaceEnd, nonce: string): Omit<Verdict, "wallMs"> {
  if (answer.type === "ended" && answer.nonce === nonce) return { outcome: answer.outcome, message: answer.message };
  if (answer.type === "gone") return { outcome: answer.outcome, message: answer.how.slice(0, 500) };
  return { outcome: "crashed", message: describeUnexpected(answer) };
}

export function describeUnexpected(message: PlaceMessage<unknown> | PlaceEnd): string {
  if (message.type === "gone") return message.how;
  if (message.type === "unable") return `Python does not start: ${message.reason}`;
  return `"${message.type}" came out of turn`;
}

/** Messages in the order they came, for one reader. */
export class Mailbox<Message> {
  readonly #waiting: Message[] = [];
  #reader: ((message: Message) => void) | null = null;

  deliver(message: Message): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader) reader(message);
    else this.#waiting.push(message);
  }

  receive(): Promise<Message> {
    const next = this.#waiting.shift();
    if (next) return Promise.resolve(next);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** When nothing came in time, `otherwise` is what has come. */
  async receiveWithin(timeoutMs: number, otherwise: () => Message): Promise<Message> {
    const timer = setTimeout(() => this.deliver(otherwise()), timeoutMs);
    try {
      return await this.receive();
    } finally {
      clearTimeout(timer);
    }
  }
}
