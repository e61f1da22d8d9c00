// The page as the place where programs of models run: each in a worker of its own, told and asked by the extension host.

import { isCancelled, toAppError } from "../../common/errors.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { createWorkerSandbox } from "../../sandbox/workerSandbox.ts";
import type { FromPage, ToPage } from "../protocol.ts";

export type ProgramMessage = Extract<ToPage, { type: "sandboxStart" | "program" | "programCancel" | "sandboxStop" }>;

export class Programs {
  readonly #send: (message: FromPage) => void;
  readonly #create: typeof createWorkerSandbox;
  readonly #running = new Map<number, AbortController>();
  /** Of the last start; null: it was stopped. */
  #startId: number | null = null;
  #sandbox: Sandbox | null = null;

  constructor(send: (message: FromPage) => void, create = createWorkerSandbox) {
    this.#send = send;
    this.#create = create;
  }

  receive(message: ProgramMessage): void {
    switch (message.type) {
      case "sandboxStart":
        void this.#start(message);
        return;
      case "program":
        void this.#run(message.id, message.source);
        return;
      case "programCancel":
        this.#running.get(message.id)?.abort();
        return;
      case "sandboxStop":
        // A place that was stopped late must not take away the one that was started since.
        if (message.id === this.#startId) this.#stop();
        return;
    }
  }

  async #start({ id, assets, allowReduced }: Extract<ProgramMessage, { type: "sandboxStart" }>): Promise<void> {
    this.#stop();
    this.#startId = id;
    try {
      const sandbox = await this.#create({ assets, allowReduced });
      // Stopped, or started anew meanwhile: nobody waits for this one.
      if (this.#startId !== id) return sandbox.dispose();
      this.#sandbox = sandbox;
      this.#send({ type: "sandboxReady", id, isolation: sandbox.isolation });
    } catch (thrown) {
      const { message, details } = toAppError(thrown);
      if (this.#startId === id)
        this.#send({ type: "sandboxFailed", id, message, isReduced: details.level === "reduced" });
    }
  }

  async #run(id: number, source: string): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      if (!this.#sandbox) throw new Error("no place for programs was started");
      this.#send({ type: "verdict", id, verdict: await this.#sandbox.run(source, controller.signal) });
    } catch (thrown) {
      // Whoever cancelled waits for no answer.
      if (!isCancelled(thrown)) this.#send({ type: "programFailed", id, message: toAppError(thrown).message });
    } finally {
      this.#running.delete(id);
    }
  }

  #stop(): void {
    this.#startId = null;
    for (const controller of this.#running.values()) controller.abort();
    this.#sandbox?.dispose();
    this.#sandbox = null;
  }
}
