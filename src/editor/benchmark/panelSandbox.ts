// A sandbox whose programs run in the benchmark panel. The panel may be closed and opened again meanwhile: programs wait,
// and the one under way is run anew.
import { abortable, cancelled, throwIfCancelled } from "../../common/cancellation.ts";
import type { Disposable } from "../../common/dispose.ts";
import type { Event } from "../../common/emitter.ts";
import { AppError } from "../../common/errors.ts";
import type { FromPage, ToPage } from "../../panel/protocol.ts";
import { type Isolation, type Sandbox, sandboxLimits, type Verdict } from "../../sandbox/sandbox.ts";
import type { WorkerAssets } from "../../sandbox/workerSandbox.ts";

/** The page of the panel, as far as it is there. */
export interface PageLink {
  /** Resolves when there is a page that listens; tells the user when there is none yet. */
  whenOpen(signal: AbortSignal): Promise<void>;
  post(message: ToPage): void;
  readonly onMessage: Event<FromPage>;
  readonly onDidClose: Event<void>;
}

export interface PanelSandboxOptions {
  readonly link: PageLink;
  readonly allowReduced: boolean;
  readonly readAssets: () => Promise<WorkerAssets>;
  /** Rejected without `allowReduced`, although the page could run programs with reduced isolation. */
  readonly onReduced: (message: string) => void;
}

/** What the page's own limits add up to, with room for a busy machine; a page that hangs must not hold up a run for ever. */
const startLimitMs = 120_000;
const programLimitMs = 60_000 + sandboxLimits.wallMs;

/** Of starts and programs. Never used again: an answer to a run of before is none to this one. */
let lastId = 0;

export async function createPanelSandbox(options: PanelSandboxOptions, signal: AbortSignal): Promise<Sandbox> {
  return new PanelSandbox(options, await start(options, signal));
}

/** What the page has ready. */
interface StartedPlace {
  readonly id: number;
  readonly isolation: Isolation;
}

type Answer<T extends FromPage["type"]> = Extract<FromPage, { type: T }>;

async function start(options: PanelSandboxOptions, signal: AbortSignal): Promise<StartedPlace> {
  const { link, allowReduced, readAssets, onReduced } = options;
  const assets = await readAssets();
  for (;;) {
    await link.whenOpen(signal);
    throwIfCancelled(signal);
    const id = ++lastId;
    const isAnswer = (message: FromPage): message is Answer<"sandboxReady" | "sandboxFailed"> =>
      (message.type === "sandboxReady" || message.type === "sandboxFailed") && message.id === id;
    const asked = ask(link, { type: "sandboxStart", id, assets, allowReduced }, isAnswer, startLimitMs, signal);
    const answer = await asked.catch((error) => {
      link.post({ type: "sandboxStop", id }); // Cancelled or too late: its workers must not go on.
      throw error;
    });
    if (answer === null) continue;
    if (answer.type === "sandboxReady") return { id, isolation: answer.isolation };
    if (answer.isReduced) onReduced(answer.message);
    throw new AppError("sandbox/unavailable", answer.message);
  }
}

class PanelSandbox implements Sandbox {
  readonly isolation: Isolation;
  readonly #options: PanelSandboxOptions;
  readonly #closing: Disposable;
  /** null: the panel was closed. */
  #startId: number | null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: PanelSandboxOptions, { id, isolation }: StartedPlace) {
    this.#options = options;
    this.#startId = id;
    this.isolation = isolation;
    this.#closing = options.link.onDidClose(() => {
      this.#startId = null;
    });
  }

  run(source: string, signal?: AbortSignal): Promise<Verdict> {
    const own = signal ?? new AbortController().signal;
    const verdict = this.#turn.then(() => this.#run(source, own));
    this.#turn = verdict.catch(() => {}); // Its own caller hears of it.
    return abortable(verdict, own);
  }

  dispose(): void {
    this.#closing.dispose();
    if (this.#startId !== null) this.#options.link.post({ type: "sandboxStop", id: this.#startId });
    this.#startId = null;
  }

  async #run(source: string, signal: AbortSignal): Promise<Verdict> {
    const { link } = this.#options;
    for (;;) {
      throwIfCancelled(signal);
      if (this.#startId === null) await this.#startAgain(signal);
      const id = ++lastId;
      const isAnswer = (message: FromPage): message is Answer<"verdict" | "programFailed"> =>
        (message.type === "verdict" || message.type === "programFailed") && message.id === id;
      const onAbort = () => link.post({ type: "programCancel", id });
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        const answer = await ask(link, { type: "program", id, source }, isAnswer, programLimitMs, signal);
        if (answer?.type === "verdict") return answer.verdict;
        if (answer) throw new AppError("sandbox/unavailable", answer.message);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    }
  }

  /** A page of another kind, as in a browser where it was a window before, would make scores that do not compare. */
  async #startAgain(signal: AbortSignal): Promise<void> {
    const { id, isolation } = await start(this.#options, signal);
    const { level } = isolation;
    this.#startId = id;
    if (level !== this.isolation.level) {
      this.dispose();
      const message = `programs ran with ${this.isolation.level} isolation until the panel was closed, and would now with ${level}`;
      throw new AppError("sandbox/unavailable", message);
    }
  }
}

/** The page's answer; null when it was closed before. */
function ask<T extends FromPage>(
  link: PageLink,
  message: ToPage,
  isAnswer: (message: FromPage) => message is T,
  limitMs: number,
  signal: AbortSignal,
): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      answered.dispose();
      closed.dispose();
      signal.removeEventListener("abort", onAbort);
    };
    const settle = (answer: T | null) => {
      end();
      resolve(answer);
    };
    const fail = (error: AppError) => {
      end();
      reject(error);
    };
    const onAbort = () => fail(cancelled());
    const late = `the benchmark panel has not answered for ${limitMs / 1000} s`;
    const timer = setTimeout(() => fail(new AppError("sandbox/unavailable", late)), limitMs);
    const answered = link.onMessage((received) => isAnswer(received) && settle(received));
    const closed = link.onDidClose(() => settle(null));
    signal.addEventListener("abort", onAbort, { once: true });
    link.post(message);
  });
}
