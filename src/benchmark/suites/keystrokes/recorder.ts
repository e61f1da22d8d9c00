// Makes a trace of what an editor tells while somebody types.
import { applyChanges, longestTraceMs, type Recorded, type Trace, type TraceChange, type TraceEvent } from "./trace.ts";

/** Editors tell of a change first and where it left the cursor right after: two messages, sent together. */
const sameKeystrokeMs = 30;

export type RecordedDocument = Pick<Trace, "languageId" | "indentation" | "initialText">;

export class TraceRecorder {
  readonly #document: RecordedDocument;
  readonly #startedMs: number;
  readonly #events: TraceEvent[] = [];
  #text: string;
  /** The cursor of the last event is where the editor said, not where it was supposed. */
  #isCursorKnown = true;

  /** Times are of any clock that goes forward, in milliseconds. */
  constructor(document: RecordedDocument, nowMs: number) {
    this.#document = document;
    this.#text = document.initialText;
    this.#startedMs = nowMs;
  }

  /** Changes of the text, so far. */
  get keystrokes(): number {
    return this.#events.filter(({ changes }) => changes.length > 0).length;
  }

  /** What would come now is too late to be part of a trace. */
  isOver(nowMs: number): boolean {
    return this.#sinceStart(nowMs) > longestTraceMs;
  }

  /** `changes` in any order; their offsets are those before all of them. */
  change(changes: readonly TraceChange[], reason: TraceEvent["reason"], nowMs: number): void {
    if (this.isOver(nowMs) || changes.length === 0) return;
    const ordered = changes.toSorted((a, b) => b.offset - a.offset);
    const last = ordered[0] as TraceChange;
    const before = ordered.slice(1).reduce((sum, { removed, text }) => sum + text.length - removed, 0);
    const cursor = last.offset + last.text.length + before;
    this.#text = applyChanges(this.#text, ordered);
    this.#isCursorKnown = false;
    this.#events.push({ atMs: this.#sinceStart(nowMs), reason, changes: ordered, cursor });
  }

  moveCursor(cursor: number, nowMs: number): void {
    const last = this.#events.at(-1);
    const atMs = this.#sinceStart(nowMs);
    if (this.isOver(nowMs) || cursor > this.#text.length) return;
    if (last && !this.#isCursorKnown && atMs - last.atMs <= sameKeystrokeMs) {
      this.#events[this.#events.length - 1] = { ...last, cursor };
    } else if (last?.cursor !== cursor) {
      this.#events.push({ atMs, reason: null, changes: [], cursor });
    }
    this.#isCursorKnown = true;
  }

  /** Without the pause before the first event: nobody wants to wait for it again. */
  finish(recorded: Recorded): Trace {
    const first = this.#events[0]?.atMs ?? 0;
    const events = this.#events.map((event) => ({ ...event, atMs: Math.round(event.atMs - first) }));
    return { recorded, ...this.#document, events };
  }

  #sinceStart(nowMs: number): number {
    return nowMs - this.#startedMs;
  }
}
