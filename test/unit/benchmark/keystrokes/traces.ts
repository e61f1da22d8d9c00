// Small traces, written as what was typed.
import type { Trace, TraceEvent } from "../../../../src/benchmark/suites/keystrokes/trace.ts";

export function traceOf(initialText: string, events: readonly TraceEvent[], change: Partial<Trace> = {}): Trace {
  return {
    recorded: { by: "program", how: "written for a test", on: "2026-01-31" },
    languageId: "python",
    indentation: { tabSize: 4, insertSpaces: true },
    initialText,
    events,
    ...change,
  };
}

/** Keys pressed one after the other from an offset on, the first after one interval. */
export function typing(keys: string, offset: number, { atMs = 0, intervalMs = 100 } = {}): readonly TraceEvent[] {
  return [...keys].map((text, index) => ({
    atMs: atMs + index * intervalMs,
    reason: null,
    changes: [{ offset: offset + index, removed: 0, text }],
    cursor: offset + index + 1,
  }));
}

export function deletion(offset: number, atMs: number): TraceEvent {
  return { atMs, reason: null, changes: [{ offset, removed: 1, text: "" }], cursor: offset };
}
