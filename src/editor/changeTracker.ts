// How documents were changed last and how fast the user types: what the trigger rules want to know.
import { TextDocumentChangeReason, type Uri, workspace } from "vscode";
import type { Disposable } from "../common/dispose.ts";
import { DisposableStore } from "../common/dispose.ts";

export type LastChange = "insert" | "delete" | "undo" | "redo" | "none";

const rememberedIntervals = 16;

export class ChangeTracker implements Disposable {
  readonly #lastChanges = new Map<string, LastChange>();
  readonly #intervalsMs: number[] = [];
  readonly #subscriptions = new DisposableStore();
  #lastInsertMs = 0;

  constructor() {
    this.#subscriptions.add(
      workspace.onDidChangeTextDocument(({ document, reason, contentChanges }) => {
        // The output channel is a document too and changes with every line of the log.
        if (document.uri.scheme === "output" || contentChanges.length === 0) return;
        const change = classify(reason, contentChanges);
        this.#lastChanges.set(document.uri.toString(), change);
        if (change === "insert") this.#noteInsert(performance.now());
      }),
    );
    this.#subscriptions.add(
      workspace.onDidCloseTextDocument((document) => this.#lastChanges.delete(document.uri.toString())),
    );
  }

  get typingIntervalsMs(): readonly number[] {
    return this.#intervalsMs;
  }

  lastChangeOf(document: Uri): LastChange {
    return this.#lastChanges.get(document.toString()) ?? "none";
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }

  #noteInsert(nowMs: number): void {
    if (this.#lastInsertMs > 0) this.#intervalsMs.push(nowMs - this.#lastInsertMs);
    if (this.#intervalsMs.length > rememberedIntervals) this.#intervalsMs.shift();
    this.#lastInsertMs = nowMs;
  }
}

function classify(
  reason: TextDocumentChangeReason | undefined,
  changes: readonly { readonly text: string }[],
): LastChange {
  if (reason === TextDocumentChangeReason.Undo) return "undo";
  if (reason === TextDocumentChangeReason.Redo) return "redo";
  return changes.some((change) => change.text !== "") ? "insert" : "delete";
}
