// What replays of typing showed, together.
import type { TypingEntry } from "../record/entries.ts";
import { describeSamples, type Figure } from "../statistics/quantile.ts";

export interface TypingSummary {
  readonly latencyMs: Figure | null;
  readonly keystrokes: number;
  readonly shown: number;
  readonly answered: number;
  readonly cancelled: number;
  readonly overlaps: number;
  readonly savedCharacters: number;
  readonly typedCharacters: number;
  readonly sources: Readonly<Record<string, number>>;
}

/** null: nothing was replayed. */
export function typingOf(replays: readonly TypingEntry[]): TypingSummary | null {
  if (replays.length === 0) return null;
  const sum = (value: (entry: TypingEntry) => number) => replays.reduce((total, entry) => total + value(entry), 0);
  const sources: Record<string, number> = {};
  for (const entry of replays)
    for (const [source, count] of Object.entries(entry.sources)) sources[source] = (sources[source] ?? 0) + count;
  return {
    latencyMs: describeSamples(replays.flatMap(({ latenciesMs }) => latenciesMs)),
    keystrokes: sum(({ keystrokes }) => keystrokes),
    shown: sum(({ shown }) => shown),
    answered: sum(({ answered }) => answered),
    cancelled: sum(({ cancelled }) => cancelled),
    overlaps: sum(({ overlaps }) => overlaps),
    savedCharacters: sum(({ savedCharacters }) => savedCharacters),
    typedCharacters: sum(({ typedCharacters }) => typedCharacters),
    sources,
  };
}
