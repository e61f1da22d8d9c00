// A document as the completion pipeline reads it: in pieces, never as a whole.
import { type Position, Range, type SelectedCompletionInfo, type TextDocument } from "vscode";
import type { TextSource } from "../completion/documentWindow.ts";
import { overlaid } from "./overlaidText.ts";

export interface CursorText {
  readonly source: TextSource;
  readonly cursor: number;
}

/**
 * With an item selected in the suggestion list, this is the document after accepting it: the editor only shows
 * completions that start with that item.
 */
export function textAt(
  document: TextDocument,
  position: Position,
  selected: SelectedCompletionInfo | undefined,
): CursorText {
  const source = sourceOf(document);
  if (!selected) return { source, cursor: document.offsetAt(position) };
  const start = document.offsetAt(selected.range.start);
  const end = document.offsetAt(selected.range.end);
  return { source: overlaid(source, start, end, selected.text), cursor: start + selected.text.length };
}

function sourceOf(document: TextDocument): TextSource {
  return {
    length: document.offsetAt(document.lineAt(document.lineCount - 1).range.end),
    slice: (start, end) => document.getText(new Range(document.positionAt(start), document.positionAt(end))),
  };
}
