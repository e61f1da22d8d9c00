// One request, from keystroke to text: trigger, typed as suggested, cache, running generation, engine.
import { throwIfCancelled } from "../common/cancellation.ts";
import { isCancelled } from "../common/errors.ts";
import type { GenerateResult } from "../protocol/model.ts";
import { CompletionCache } from "./completionCache.ts";
import { type Adopted, type Generate, RunningGeneration } from "./inFlight.ts";
import { lineAfter, lineBefore } from "./lines.ts";
import type { Outcome } from "./outcome.ts";
import type { Suggestion } from "./place.ts";
import type { DropReason } from "./postProcess/step.ts";
import { decideTrigger } from "./trigger.ts";
import { type CompletionRequest, Turn } from "./turn.ts";
import { remainder } from "./typedAsSuggested.ts";

export interface PipelineDependencies {
  readonly generate: Generate;
  readonly now: () => number;
  /** Rejects with `request/cancelled` when the signal fires or has fired. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What is remembered of a document. */
interface DocumentState {
  /** Fires when a newer request takes over. */
  newest: AbortController;
  /** Of what runs and was shown, see `Turn.variant`. */
  variant: string;
  running: RunningGeneration | null;
  shown: Suggestion | null;
}

export class CompletionPipeline {
  readonly #dependencies: PipelineDependencies;
  readonly #cache = new CompletionCache<DropReason>();
  readonly #documents = new Map<string, DocumentState>();

  constructor(dependencies: PipelineDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Resolves in any case but one: with "superseded" when a newer request of the document came, with "cancelled" when the
   * signal fired; it rejects with an AppError when the engine failed. The signal ends the waiting only: a generation
   * goes on until the next request says whether it is of use.
   */
  async complete(request: CompletionRequest, signal: AbortSignal): Promise<Outcome> {
    const newest = new AbortController();
    const turn = new Turn(request, this.#dependencies.now, AbortSignal.any([signal, newest.signal]));
    const state = this.#supersede(turn, newest);
    try {
      return await this.#answer(turn, state);
    } catch (thrown) {
      if (!isCancelled(thrown)) throw thrown;
      return turn.nothing(newest.signal.aborted ? "superseded" : "cancelled");
    }
  }

  /** Ends what runs for a document and forgets it. */
  closed(documentId: string): void {
    const state = this.#documents.get(documentId);
    if (!state) return;
    state.newest.abort();
    abortRunning(state);
    this.#documents.delete(documentId);
  }

  /** Ends and forgets everything. */
  reset(): void {
    for (const documentId of [...this.#documents.keys()]) this.closed(documentId);
    this.#cache.clear();
  }

  #supersede({ request, variant }: Turn, newest: AbortController): DocumentState {
    const former = this.#documents.get(request.documentId);
    former?.newest.abort();
    if (former?.variant === variant) return Object.assign(former, { newest });
    if (former) abortRunning(former);
    const state = { newest, variant, running: null, shown: null };
    this.#documents.set(request.documentId, state);
    return state;
  }

  async #answer(turn: Turn, state: DocumentState): Promise<Outcome> {
    if (state.running && !state.running.agreesWith(turn.place)) abortRunning(state);
    throwIfCancelled(turn.signal);
    const decision = decideTrigger(turn.request.trigger, lineBefore(turn.place.prefix), lineAfter(turn.place.suffix));
    // Deleting back into a suggestion shows more of it again.
    const canContinue = decision.kind === "request" || decision.reason === "deletion";
    const typed = canContinue && state.shown && remainder(state.shown, turn.place);
    if (typed) return turn.found("typed", typed);
    if (decision.kind === "skip") return turn.nothing(decision.reason);
    const cached = this.#fromCache(turn, state);
    if (cached) return cached;
    const adopted = state.running ? await this.#fromRunning(turn, state, state.running) : null;
    return adopted ?? this.#fromEngine(turn, state, decision.delayMs);
  }

  #fromCache(turn: Turn, state: DocumentState): Outcome | null {
    const hit = this.#cache.find(turn.variant, turn.place);
    if (!hit) return null;
    // Who asks by hand wants it tried again.
    if (hit.insertion === null) return turn.request.trigger.kind === "invoked" ? null : turn.nothing(hit.dropped);
    return show(turn, state, turn.found("cache", hit.insertion));
  }

  async #fromRunning(turn: Turn, state: DocumentState, running: RunningGeneration): Promise<Outcome | null> {
    const adopted = await running.follow(turn.place, turn.signal);
    if (adopted) return show(turn, state, turn.generated("inFlight", adopted, running.elapsedMs));
    abortRunning(state);
    return null;
  }

  async #fromEngine(turn: Turn, state: DocumentState, delayMs: number): Promise<Outcome> {
    await turn.delay(delayMs, this.#dependencies.wait);
    throwIfCancelled(turn.signal);
    const generation = this.#start(turn, state);
    // Never null: at the place it was made for, a text agrees with itself.
    const adopted = (await generation.follow(turn.place, turn.signal)) as Adopted;
    return show(turn, state, turn.generated("engine", adopted, generation.elapsedMs));
  }

  #start(turn: Turn, state: DocumentState): RunningGeneration {
    for (const other of this.#documents.values()) if (!other.running?.isFollowed) abortRunning(other);
    const { generate, now } = this.#dependencies;
    const generation = new RunningGeneration(turn.place, turn.generateParams(), generate, now);
    state.running = generation;
    generation.result.then(
      (result) => this.#land(turn, state, generation, result),
      () => endRunning(state, generation),
    );
    return generation;
  }

  /** Keeps what came, also when nobody waits for it any more. */
  #land(turn: Turn, state: DocumentState, generation: RunningGeneration, result: GenerateResult): void {
    if (state.running !== generation) return;
    state.running = null;
    const { text, replaceAfter, dropped } = turn.postProcess(result.text, result.stopReason);
    this.#cache.put(turn.variant, { ...turn.place, text, replaceAfter }, dropped);
  }
}

function abortRunning(state: DocumentState): void {
  state.running?.abort();
  state.running = null;
}

function endRunning(state: DocumentState, generation: RunningGeneration): void {
  if (state.running === generation) state.running = null;
}

/** Remembers what the person will see, to follow how they type along. */
function show({ place }: Turn, state: DocumentState, outcome: Outcome): Outcome {
  const { source, text, replaceAfter } = outcome;
  if (source !== "none") state.shown = { ...place, text, replaceAfter };
  return outcome;
}
