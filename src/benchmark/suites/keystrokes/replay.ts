// Plays recorded typing through the completion pipeline, in the time it took, as the editor would have asked for it.
import { randomUUID } from "node:crypto";
import { abortable } from "../../../common/cancellation.ts";
import { AppError, isCancelled } from "../../../common/errors.ts";
import { wait } from "../../../common/wait.ts";
import { composeRequest, defaultPreferences } from "../../../completion/composeRequest.ts";
import { cutWindow } from "../../../completion/documentWindow.ts";
import type { Generate } from "../../../completion/inFlight.ts";
import { LatencyStatistics } from "../../../completion/latency.ts";
import type { Outcome, OutcomeSource } from "../../../completion/outcome.ts";
import { CompletionPipeline, type PipelineDependencies } from "../../../completion/pipeline.ts";
import { classifyChange, type LastChange, TypingRhythm } from "../../../completion/typingRhythm.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { GenerateResult, LoadedModel, ModelSpec } from "../../../protocol/model.ts";
import type { TypingEntry } from "../../record/entries.ts";
import type { SubjectDefinition } from "../../subject.ts";
import type { ReplayTask } from "../../suite.ts";
import { GhostText, typedBy } from "./ghostText.ts";
import { parseTrace } from "./parseTrace.ts";
import { applyChanges, type Trace, type TraceEvent } from "./trace.ts";

/** What a replay shows; the rest of the entry says of whom. */
export type TypingFigures = Omit<TypingEntry, "type" | "atMs" | "suite" | "subject" | "task" | "repetition">;

export type ReplayClock = Pick<PipelineDependencies, "now" | "wait">;

export interface ReplayParts {
  readonly model: LoadedModel;
  /** May tell how many others ran beside it. */
  readonly generate: (...call: Parameters<Generate>) => Promise<GenerateResult & { readonly overlaps?: number }>;
  readonly clock: ReplayClock;
}

/**
 * VS Code asks its providers so long after a keystroke, and not at all when another comes in between
 * (microsoft/vscode#240518). It is part of what people wait.
 */
const editorDelayMs = 50;

/** What a run plays typing traces with: only models of our own engine complete as the editor does. */
export function createReplay(engine: Engine) {
  return (task: ReplayTask, subject: SubjectDefinition, signal: AbortSignal): Promise<TypingFigures> => {
    if (subject.kind === "model") return replayTask(engine, subject.spec, task, signal);
    throw new AppError("request/invalid", `${subject.label} is a ${subject.kind} subject; typing needs a model file`);
  };
}

/** Rejects with an AppError: `dataset/invalid`, `request/cancelled`, or what the engine failed with. */
export async function replayTask(
  engine: Pick<Engine, "load" | "generate">,
  spec: ModelSpec,
  task: ReplayTask,
  signal: AbortSignal,
): Promise<TypingFigures> {
  const trace = parseTrace(task.trace, task.id);
  const model = await engine.load(spec, signal);
  const generate: ReplayParts["generate"] = (params, onText, generationSignal) => {
    const request = { documentId: params.sequenceKey, model: spec, priority: "completion" as const };
    return engine.generate({ ...params, ...request }, onText, generationSignal);
  };
  return replayTrace(trace, { model, generate, clock: { now: () => performance.now(), wait } }, signal);
}

export async function replayTrace(trace: Trace, parts: ReplayParts, signal: AbortSignal): Promise<TypingFigures> {
  const replay = new Replay(trace, parts);
  try {
    await replay.run(signal);
  } finally {
    await replay.end();
  }
  return replay.figures();
}

class Replay {
  readonly #trace: Trace;
  readonly #parts: ReplayParts;
  readonly #pipeline: CompletionPipeline;
  /** Names the KV cache, too: a replay must not find the one of another. */
  readonly #documentId = `trace:${randomUUID()}`;
  readonly #rhythm = new TypingRhythm();
  readonly #latency = new LatencyStatistics();
  readonly #ghost = new GhostText();
  readonly #generations = new Set<Promise<unknown>>();
  readonly #failed = new AbortController();
  #text: string;
  /** Of the newest keystroke: as the editor does, the next one cancels it. */
  #request = new AbortController();
  #answer: Promise<void> = Promise.resolve();

  #keystrokes = 0;
  #answered = 0;
  #cancelled = 0;
  #overlaps = 0;
  #savedCharacters = 0;
  #typedCharacters = 0;
  readonly #latenciesMs: number[] = [];
  readonly #sources: Record<OutcomeSource, number> = { typed: 0, cache: 0, inFlight: 0, engine: 0, none: 0 };

  constructor(trace: Trace, parts: ReplayParts) {
    this.#trace = trace;
    this.#parts = parts;
    this.#text = trace.initialText;
    this.#pipeline = new CompletionPipeline({ ...parts.clock, generate: this.#generate });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const ended = AbortSignal.any([signal, this.#failed.signal]);
    const startedMs = clock.now();
    try {
      for (const event of this.#trace.events) {
        const leftMs = startedMs + event.atMs - clock.now();
        if (leftMs > 0) await clock.wait(leftMs, ended);
        this.#play(event);
      }
      await abortable(this.#answer, ended);
    } catch (thrown) {
      this.#failed.signal.throwIfAborted();
      throw thrown;
    }
  }

  /** Leaves nothing running. */
  async end(): Promise<void> {
    this.#request.abort();
    this.#pipeline.reset();
    await Promise.allSettled([...this.#generations, this.#answer]);
  }

  figures(): TypingFigures {
    const shown = Object.values(this.#sources).reduce((sum, count) => sum + count, 0) - this.#sources.none;
    return {
      keystrokes: this.#keystrokes,
      latenciesMs: this.#latenciesMs,
      shown,
      answered: this.#answered,
      cancelled: this.#cancelled,
      overlaps: this.#overlaps,
      sources: { ...this.#sources, none: this.#keystrokes - shown },
      savedCharacters: this.#savedCharacters,
      typedCharacters: this.#typedCharacters,
    };
  }

  readonly #generate: Generate = (params, onText, signal) => {
    const generation = this.#parts.generate(params, onText, signal);
    const settled = generation
      .then(({ overlaps = 0 }) => {
        if (overlaps > 0) this.#overlaps++;
      })
      .catch((thrown: unknown) => {
        if (isCancelled(thrown)) this.#cancelled++;
      })
      .finally(() => this.#generations.delete(settled));
    this.#generations.add(settled);
    return generation;
  };

  #play(event: TraceEvent): void {
    this.#request.abort();
    if (event.changes.length === 0) {
      this.#ghost.hide();
      return;
    }
    const nowMs = this.#parts.clock.now();
    const typed = typedBy(event);
    const change = classifyChange(event.reason, event.changes);
    this.#text = applyChanges(this.#text, event.changes);
    this.#rhythm.note(change, nowMs);
    this.#keystrokes++;
    this.#typedCharacters += typed.length;
    this.#savedCharacters += this.#ghost.type(typed);
    this.#request = new AbortController();
    this.#answer = this.#ask(event.cursor, change, nowMs, this.#request.signal).catch((thrown: unknown) => {
      if (!isCancelled(thrown)) this.#failed.abort(thrown);
    });
  }

  async #ask(cursor: number, lastChange: LastChange, pressedMs: number, signal: AbortSignal): Promise<void> {
    const { languageId, indentation } = this.#trace;
    await this.#parts.clock.wait(editorDelayMs, signal);
    const request = composeRequest(cutWindow(this.#text, cursor), {
      documentId: this.#documentId,
      languageId,
      indentation,
      moment: {
        kind: "automatic",
        lastChange,
        isSelectionEmpty: true,
        cursorCount: 1,
        typingIntervalsMs: this.#rhythm.intervalsMs,
        // Waiting longer to spare a battery would say nothing of the model.
        onBattery: false,
      },
      model: this.#parts.model,
      preferences: defaultPreferences,
      latency: this.#latency.summary(),
    });
    const outcome = await this.#pipeline.complete(request, signal);
    if (!signal.aborted) this.#present(outcome, pressedMs);
  }

  #present(outcome: Outcome, pressedMs: number): void {
    this.#latency.addOutcome(outcome);
    this.#answered++;
    this.#sources[outcome.source]++;
    if (outcome.source === "none") this.#ghost.hide();
    else this.#ghost.show(outcome.text);
    const isComputed = outcome.source === "engine" || outcome.source === "inFlight";
    if (isComputed) this.#latenciesMs.push(this.#parts.clock.now() - pressedMs);
  }
}
