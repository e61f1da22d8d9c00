import { EventEmitter, Uri, window, workspace } from "vscode";
import { type Disposable, DisposableStore } from "../common/dispose.ts";
import type { CompletionHistory } from "./completionHistory.ts";
import { traceScheme } from "./ids.ts";
import { renderTestCase, renderTrace } from "./traceText.ts";

const traceUri = Uri.from({ scheme: traceScheme, path: "Last Completions" });

/** Shows the history as a read-only document. */
export class TraceDocument implements Disposable {
  readonly #history: CompletionHistory;
  readonly #changed = new EventEmitter<Uri>();
  readonly #owned = new DisposableStore();

  constructor(history: CompletionHistory) {
    this.#history = history;
    this.#owned.add(this.#changed);
    this.#owned.add(
      workspace.registerTextDocumentContentProvider(traceScheme, {
        onDidChange: this.#changed.event,
        provideTextDocumentContent: () => renderTrace(history.entries),
      }),
    );
  }

  /** As of now; it does not move under the reader while they type elsewhere. */
  async show(): Promise<void> {
    this.#changed.fire(traceUri);
    await window.showTextDocument(await workspace.openTextDocument(traceUri));
  }

  async saveAsTestCase(): Promise<void> {
    const content = renderTestCase(this.#history.entries);
    if (content === null) {
      window.showInformationMessage("Hotpath: nothing was completed yet.");
      return;
    }
    await window.showTextDocument(await workspace.openTextDocument({ language: "json", content }));
  }

  dispose(): void {
    this.#owned.dispose();
  }
}
