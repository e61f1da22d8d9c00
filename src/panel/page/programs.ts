// The page as the place where programs of models run: each in a worker of its own, told and asked by the extension host.

import { isCancelled, toAppError } from "../../common/errors.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { createWorkerSandbox } from "../../sandbox/workerSandbox.ts";
import type { FromPage, ToPage } from "../protocol.ts";

export type ProgramMessage = Extract<ToPage, { type: "sandboxStart" | "program" | "programCancel" | "sandboxStop" }>;

export class Programs {
  readonly #send: (message: FromPage) => void;
  readonly #running = new Map<number, AbortController>();
  #sandbox: Sandbox | null = null;

  constructor(send: (message: FromPage) => void) {
    this.#send = send;
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
        this.#stop();
        return;
    }
  }

  async #start({ assets, allowReduced }: Extract<ProgramMessage, { type: "sandboxStart" }>): Promise<void> {
    this.#stop();
    try {
      this.#sandbox = await createWorkerSandbox({ assets, scheme: "data", allowReduced });
      this.#send({ type: "sandboxReady", isolation: this.#sandbox.isolation });
    } catch (thrown) {
      const { message, details } = toAppError(thrown);
      this.#send({ type: "sandboxFailed", message, isReduced: details.level === "reduced" });
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
    this.#sandbox?.dispose();
    this.#sandbox = null;
  }
}
