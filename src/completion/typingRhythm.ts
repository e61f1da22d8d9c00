// What the trigger rules want to know of how a document was changed last and of how fast somebody types.

export type LastChange = "insert" | "delete" | "undo" | "redo" | "none";

export function classifyChange(
  reason: "undo" | "redo" | null,
  changes: readonly { readonly text: string }[],
): LastChange {
  return reason ?? (changes.some((change) => change.text !== "") ? "insert" : "delete");
}

const rememberedIntervals = 16;

export class TypingRhythm {
  readonly #intervalsMs: number[] = [];
  #lastInsertMs: number | null = null;

  /** Between the last insertions, oldest first. */
  get intervalsMs(): readonly number[] {
    return this.#intervalsMs;
  }

  note(change: LastChange, nowMs: number): void {
    if (change !== "insert") return;
    if (this.#lastInsertMs !== null) this.#intervalsMs.push(nowMs - this.#lastInsertMs);
    if (this.#intervalsMs.length > rememberedIntervals) this.#intervalsMs.shift();
    this.#lastInsertMs = nowMs;
  }
}
