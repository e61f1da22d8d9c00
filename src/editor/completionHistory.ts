// The last completions with what went into them. In memory only: it holds text of the user's files.
import type { NoneReason, Outcome } from "../completion/outcome.ts";
import type { Place } from "../completion/place.ts";
import type { DocumentSkip } from "../completion/trigger.ts";

export interface HistoryEntry {
  readonly atMs: number;
  /** As the workspace shows it: "src/point.py". */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly languageId: string;
  /** null: nothing of the document was read. */
  readonly place: Place | null;
  readonly outcome: Outcome;
}

const capacity = 50;

export class CompletionHistory {
  readonly #entries: HistoryEntry[] = [];

  /** Oldest first. */
  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  add(entry: HistoryEntry): void {
    const last = this.#entries.at(-1);
    // Typing on where nothing is completed must not push out what was.
    if (last && isSameSkip(last, entry)) this.#entries.pop();
    this.#entries.push(entry);
    if (this.#entries.length > capacity) this.#entries.shift();
  }
}

/** What the pipeline would say of a document it never gets to see. */
export function skippedOutcome(reason: DocumentSkip): Outcome {
  return {
    text: "",
    replaceAfter: 0,
    source: "none",
    reason,
    timings: { delayMs: 0, queuedMs: 0, ttftMs: null, totalMs: 0 },
    stats: null,
    trace: { prefixLength: 0, suffixLength: 0, maxLines: 0, rawText: null, changedBy: [] },
  };
}

function isSameSkip(a: HistoryEntry, b: HistoryEntry): boolean {
  return a.place === null && b.place === null && a.file === b.file && a.outcome.reason === b.outcome.reason;
}

export const reasonSentences: Readonly<Record<NoneReason, string>> = {
  off: "completions are off",
  "language-off": "completions are off for this language",
  snoozed: "completions are snoozed",
  scheme: "this kind of document is not completed",
  "secret-file": "the file may hold secrets",
  "ignored-file": "the file is ignored by .gitignore or .hotpathignore",
  "huge-file": "the file or its line is huge",
  selection: "text is selected",
  "several-cursors": "there are several cursors",
  "undo-redo": "the last change was an undo or redo",
  deletion: "the last change was a deletion",
  "rest-of-line": "there is code after the cursor",
  blank: "the model wrote nothing",
  "repeats-above": "the text repeats the lines above",
  "repeats-below": "the text repeats what follows",
  superseded: "typing went on before the answer came",
  cancelled: "the editor stopped waiting",
};
