// Completes a file at a place by the editor's own pipeline.
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "../common/cancellation.ts";
import { AppError } from "../common/errors.ts";
import { cutWindow } from "../completion/documentWindow.ts";
import { fitMaxTokens } from "../completion/limits.ts";
import type { Outcome } from "../completion/outcome.ts";
import { CompletionPipeline } from "../completion/pipeline.ts";
import { isSecretFile } from "../completion/secrets.ts";
import type { Engine } from "../engine/engine.ts";
import type { LoadedModel, ModelSpec } from "../protocol/model.ts";
import { indentationOf, languageOf } from "./language.ts";
import { loadShown } from "./loadShown.ts";
import { type Location, splitAt } from "./location.ts";

export interface Completion {
  readonly outcome: Outcome;
  readonly model: LoadedModel;
  /** The text around the cursor. */
  readonly prefix: string;
  readonly suffix: string;
}

export interface CompleteOptions {
  readonly model: ModelSpec;
  readonly maxTokens: number;
  readonly signal: AbortSignal;
  /** Gets the place before the first text comes. */
  readonly onPlace?: (prefix: string, suffix: string, model: LoadedModel) => void;
  /** Gets the model's text as it streams, before post-processing. */
  readonly onText?: (text: string) => void;
}

const timeLimitMs = 60_000;

export async function completeAt(engine: Engine, location: Location, options: CompleteOptions): Promise<Completion> {
  const { model: spec, maxTokens, signal, onPlace, onText } = options;
  const text = await readText(location.file);
  const { prefix, suffix } = splitAt(text, location);
  const model = await loadShown(engine, spec, signal);
  onPlace?.(prefix, suffix, model);
  const pipeline = new CompletionPipeline({
    now: () => performance.now(),
    wait: (ms) => sleep(ms),
    generate: (params, onChunk, generationSignal) =>
      engine.generate(
        { ...params, model: spec, documentId: location.file, priority: "completion" },
        (chunk) => {
          onText?.(chunk);
          onChunk(chunk);
        },
        generationSignal,
      ),
  });
  signal.addEventListener("abort", () => pipeline.reset(), { once: true });
  const outcome = await pipeline.complete(
    {
      ...cutWindow(text, prefix.length),
      documentId: location.file,
      languageId: languageOf(location.file),
      indentation: indentationOf(text),
      trigger: {
        kind: "invoked",
        lastChange: "none",
        isSelectionEmpty: true,
        cursorCount: 1,
        typingIntervalsMs: [],
        latencyMs: null,
        onBattery: false,
        fixedDelayMs: 0,
      },
      modelKey: spec.path,
      modelMaxLines: model.maxLines,
      limits: {
        maxPromptTokens: 0,
        maxTokens: fitMaxTokens(maxTokens, model.contextLength),
        maxLines: 0,
        temperature: 0,
        timeLimitMs,
      },
    },
    signal,
  );
  if (signal.aborted) throw cancelled();
  return { outcome, model, prefix, suffix };
}

async function readText(file: string): Promise<string> {
  // A link may have a harmless name.
  const target = await realpath(file).catch(() => file);
  if ([file, target].some((name) => isSecretFile(path.resolve(name)))) {
    throw new AppError("request/invalid", `${file} looks like a file of secrets and is not read`);
  }
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new AppError("file/unreadable", `${file}: ${(error as Error).message}`, { file }, error);
  }
}
