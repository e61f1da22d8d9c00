import { cancelled } from "../../src/common/cancellation.ts";
import type { AppError } from "../../src/common/errors.ts";
import type { Generate } from "../../src/completion/inFlight.ts";
import type { GenerateParams, GenerateStats, StopReason } from "../../src/protocol/model.ts";
import { settle } from "./fakeClock.ts";

export const engineStats: GenerateStats = {
  promptTokens: 30,
  reusedTokens: 20,
  cutTokens: 0,
  generatedTokens: 5,
  ttftMs: 20,
  totalMs: 60,
  prefillTokensPerSecond: 500,
  decodeTokensPerSecond: 100,
  tokenTimesMs: null,
  sparsity: null,
  hot: null,
};

/** One generation, driven by the test as if by the model. */
export class ScriptedGeneration {
  readonly params: GenerateParams;
  readonly signal: AbortSignal;
  readonly finish: (stopReason?: StopReason) => Promise<void>;
  readonly fail: (error: AppError) => Promise<void>;
  readonly write: (text: string) => Promise<void>;

  constructor(
    params: GenerateParams,
    onText: (text: string) => void,
    signal: AbortSignal,
    settleWith: {
      readonly resolve: (result: { text: string; stopReason: StopReason; stats: GenerateStats }) => void;
      readonly reject: (error: AppError) => void;
    },
  ) {
    this.params = params;
    this.signal = signal;
    let written = "";
    this.write = (text) => {
      written += text;
      onText(text);
      return settle();
    };
    this.finish = (stopReason = "end") => {
      settleWith.resolve({ text: written, stopReason, stats: engineStats });
      return settle();
    };
    this.fail = (error) => {
      settleWith.reject(error);
      return settle();
    };
  }
}

/** An engine whose generations do what the test says; aborting one rejects it, as the real engine does. */
export class ScriptedEngine {
  readonly generations: ScriptedGeneration[] = [];

  readonly generate: Generate = (params, onText, signal) =>
    new Promise((resolve, reject) => {
      this.generations.push(new ScriptedGeneration(params, onText, signal, { resolve, reject }));
      signal.addEventListener("abort", () => reject(cancelled()));
    });

  /** The newest. */
  get last(): ScriptedGeneration {
    const last = this.generations.at(-1);
    if (!last) throw new Error("The engine was not asked.");
    return last;
  }
}
