import type { TraceEvent } from "./trace.ts";

/** The suggestion on the screen of somebody who never accepts one: typing its beginning leaves the rest of it. */
export class GhostText {
  #text = "";

  show(text: string): void {
    this.#text = text;
  }

  hide(): void {
    this.#text = "";
  }

  /** How many of the typed characters stood on the screen already: all of them or none. */
  type(typed: string): number {
    const wasShown = typed !== "" && this.#text.startsWith(typed);
    this.#text = wasShown ? this.#text.slice(typed.length) : "";
    return wasShown ? typed.length : 0;
  }
}

/**
 * What an event put before the cursor; "" when it only deleted or moved. A bracket that the editor closed by itself lies
 * behind the cursor and was not typed.
 */
export function typedBy({ changes, cursor }: TraceEvent): string {
  for (const { offset, text } of changes) {
    const before = changes.filter((other) => other.offset < offset);
    const start = before.reduce((sum, other) => sum + other.text.length - other.removed, offset);
    if (text !== "" && start <= cursor && cursor <= start + text.length) return text.slice(0, cursor - start);
  }
  return "";
}
