// How documents were changed last and how fast the user types: what the trigger rules want to know.
import { TextDocumentChangeReason, type Uri, workspace } from "vscode";
import type { Disposable } from "../common/dispose.ts";
import { DisposableStore } from "../common/dispose.ts";
import { classifyChange, type LastChange, TypingRhythm } from "../completion/typingRhythm.ts";

export class ChangeTracker implements Disposable {
  readonly #lastChanges = new Map<string, LastChange>();
  readonly #rhythm = new TypingRhythm();
  readonly #subscriptions = new DisposableStore();

  constructor() {
    this.#subscriptions.add(
      workspace.onDidChangeTextDocument(({ document, reason, contentChanges }) => {
        // The output channel is a document too and changes with every line of the log.
        if (document.uri.scheme === "output" || contentChanges.length === 0) return;
        const change = classifyChange(reasonOf(reason), contentChanges);
        this.#lastChanges.set(document.uri.toString(), change);
        this.#rhythm.note(change, performance.now());
      }),
    );
    this.#subscriptions.add(
      workspace.onDidCloseTextDocument((document) => this.#lastChanges.delete(document.uri.toString())),
    );
  }

  get typingIntervalsMs(): readonly number[] {
    return this.#rhythm.intervalsMs;
  }

  lastChangeOf(document: Uri): LastChange {
    return this.#lastChanges.get(document.toString()) ?? "none";
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }
}

export function reasonOf(reason: TextDocumentChangeReason | undefined): "undo" | "redo" | null {
  if (reason === TextDocumentChangeReason.Undo) return "undo";
  return reason === TextDocumentChangeReason.Redo ? "redo" : null;
}
