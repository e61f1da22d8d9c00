// From the editor's document, position and token to the pipeline and back.
import {
  type CancellationToken,
  type InlineCompletionContext,
  InlineCompletionItem,
  type InlineCompletionItemProvider,
  InlineCompletionTriggerKind,
  type Position,
  Range,
  type TextDocument,
  type TextEditor,
  window,
  workspace,
} from "vscode";
import type { Logger } from "../common/logger.ts";
import { composeRequest } from "../completion/composeRequest.ts";
import { cutWindow } from "../completion/documentWindow.ts";
import type { Outcome } from "../completion/outcome.ts";
import type { CompletionPipeline } from "../completion/pipeline.ts";
import type { Place } from "../completion/place.ts";
import type { IndentationStyle } from "../completion/postProcess/step.ts";
import type { TriggerKind } from "../completion/trigger.ts";
import type { CompletionRequest } from "../completion/turn.ts";
import type { LoadedModel } from "../protocol/model.ts";
import { toAbortSignal } from "./abortSignal.ts";
import type { Activity } from "./activity.ts";
import type { ChangeTracker } from "./changeTracker.ts";
import { type CompletionHistory, type HistoryEntry, skippedOutcome } from "./completionHistory.ts";
import type { DocumentGate } from "./documentGate.ts";
import { textAt } from "./documentText.ts";
import type { ModelSession } from "./modelSession.ts";
import type { Power } from "./power.ts";
import type { SettingsStore } from "./settingsStore.ts";
import { renderLogLine } from "./traceText.ts";

export interface ProviderParts {
  readonly gate: DocumentGate;
  readonly pipeline: CompletionPipeline;
  readonly session: ModelSession;
  readonly settings: SettingsStore;
  readonly changes: ChangeTracker;
  readonly activity: Activity;
  readonly power: Power;
  readonly history: CompletionHistory;
  readonly log: Logger;
  readonly onFailure: (thrown: unknown) => void;
}

/** Has exactly the one method of the final API: a proposed one, even unused, stops registration. */
export class CompletionProvider implements InlineCompletionItemProvider {
  readonly #parts: ProviderParts;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
  }

  async provideInlineCompletionItems(
    document: TextDocument,
    position: Position,
    context: InlineCompletionContext,
    token: CancellationToken,
  ): Promise<InlineCompletionItem[]> {
    try {
      const outcome = await this.#complete(document, position, context, toAbortSignal(token));
      return outcome && outcome.source !== "none" ? [toItem(outcome, position, context)] : [];
    } catch (thrown) {
      this.#parts.onFailure(thrown);
      return [];
    }
  }

  async #complete(
    document: TextDocument,
    position: Position,
    context: InlineCompletionContext,
    signal: AbortSignal,
  ): Promise<Outcome | null> {
    const { gate, session, pipeline } = this.#parts;
    const kind: TriggerKind = context.triggerKind === InlineCompletionTriggerKind.Invoke ? "invoked" : "automatic";
    const { version } = document;
    const skip = await gate.skipReason(document, position.line, kind);
    if (skip) {
      this.#remember(document, position, null, skippedOutcome(skip));
      return null;
    }
    if (kind === "invoked") session.forgetFailure();
    const model = await session.ready(signal);
    // The position belongs to the text of then.
    if (signal.aborted || document.version !== version) return null;
    const { source, cursor } = textAt(document, position, context.selectedCompletionInfo);
    const place = cutWindow(source, cursor);
    const outcome = await pipeline.complete(this.#request(document, place, kind, model), signal);
    this.#remember(document, position, place, outcome);
    return outcome;
  }

  #request(document: TextDocument, place: Place, kind: TriggerKind, model: LoadedModel): CompletionRequest {
    const { settings, activity, changes, power } = this.#parts;
    const editor = editorOf(document);
    return composeRequest(place, {
      documentId: document.uri.toString(),
      languageId: document.languageId,
      indentation: indentationOf(editor),
      moment: {
        kind,
        lastChange: changes.lastChangeOf(document.uri),
        isSelectionEmpty: editor?.selection.isEmpty ?? true,
        cursorCount: editor?.selections.length ?? 1,
        typingIntervalsMs: changes.typingIntervalsMs,
        onBattery: power.onBattery,
      },
      model,
      preferences: settings.current,
      latency: activity.latency,
    });
  }

  #remember(document: TextDocument, position: Position, place: Place | null, outcome: Outcome): void {
    const { history, activity, log } = this.#parts;
    activity.noteOutcome(outcome);
    const entry: HistoryEntry = {
      atMs: Date.now(),
      file: workspace.asRelativePath(document.uri),
      line: position.line + 1,
      column: position.character + 1,
      languageId: document.languageId,
      place,
      outcome,
    };
    history.add(entry);
    if (!place) return;
    if (outcome.source === "none") log.debug(renderLogLine(entry));
    else log.info(renderLogLine(entry));
  }
}

/** The editor under the user's hands; one text may be open in several. */
function editorOf(document: TextDocument): TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = window;
  if (activeTextEditor?.document === document) return activeTextEditor;
  return visibleTextEditors.find((editor) => editor.document === document);
}

export function indentationOf(editor: TextEditor | undefined): IndentationStyle {
  const { tabSize, insertSpaces } = editor?.options ?? {};
  return {
    tabSize: typeof tabSize === "number" ? tabSize : 4,
    insertSpaces: typeof insertSpaces === "boolean" ? insertSpaces : true,
  };
}

function toItem(outcome: Outcome, position: Position, context: InlineCompletionContext): InlineCompletionItem {
  const selected = context.selectedCompletionInfo;
  const start = selected?.range.start ?? position;
  const end = (selected?.range.end ?? position).translate(0, outcome.replaceAfter);
  return new InlineCompletionItem((selected?.text ?? "") + outcome.text, new Range(start, end));
}
