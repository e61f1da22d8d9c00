// Recorded typing: a text and what was done to it, with the times. One JSON file per recording, format version 1.
import type { IndentationStyle } from "../../../completion/postProcess/step.ts";

export const traceVersion = 1;

/** A replay takes as long as the typing did, so recordings are short. */
export const longestTraceMs = 120_000;

export interface Trace {
  readonly recorded: Recorded;
  /** As the editor names it: "python", "typescript", ... */
  readonly languageId: string;
  readonly indentation: IndentationStyle;
  readonly initialText: string;
  /** At least one. */
  readonly events: readonly TraceEvent[];
}

export interface Recorded {
  /** Who pressed the keys. */
  readonly by: "person" | "program";
  /** For people: with what, how the pauses came about, what was switched off. */
  readonly how: string;
  /** Day, as 2026-01-31. */
  readonly on: string;
}

/** A change of the text, or only of the cursor. */
export interface TraceEvent {
  /** Since the recording began. */
  readonly atMs: number;
  /** null: neither undo nor redo. */
  readonly reason: "undo" | "redo" | null;
  /** By descending offset, without overlap: applied in this order, each finds what the recording found. */
  readonly changes: readonly TraceChange[];
  /** UTF-16 offset of the cursor afterwards. */
  readonly cursor: number;
}

export interface TraceChange {
  /** UTF-16 offset in the text before the event. */
  readonly offset: number;
  readonly removed: number;
  readonly text: string;
}

export function applyChanges(text: string, changes: readonly TraceChange[]): string {
  return changes.reduce(
    (changed, { offset, removed, text: added }) => changed.slice(0, offset) + added + changed.slice(offset + removed),
    text,
  );
}

/** One line per event, so that recordings can be read and compared. */
export function renderTrace({ events, ...head }: Trace): string {
  const fields = Object.entries({ version: traceVersion, ...head }).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`,
  );
  const lines = events.map((event) => `    ${JSON.stringify(event)}`);
  return `{\n${fields.join("")}  "events": [\n${lines.join(",\n")}\n  ]\n}\n`;
}
