// Completions of places already seen, so that deleting and typing again, moving away and back, costs nothing.
import { linesBelow } from "./lines.ts";
import { headOf, longestTyped, type Place, type Suggestion, typedSince } from "./place.ts";
import { type Insertion, remainder } from "./typedAsSuggested.ts";

/** `Dropped` remembers why a place got nothing, so that the engine is not asked for the same nothing again. */
export type CacheHit<Dropped> =
  | { readonly insertion: Insertion; readonly dropped: null }
  | { readonly insertion: null; readonly dropped: Dropped };

interface Entry<Dropped> {
  readonly suggestion: Suggestion;
  readonly dropped: Dropped | null;
}

/**
 * Least recently used goes first. Knows no documents: the same code in two files has the same completion. A `variant`
 * names everything else the text depends on: model, line limit, temperature.
 */
export class CompletionCache<Dropped> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry<Dropped>>();

  constructor(capacity = 250) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  put(variant: string, suggestion: Suggestion, dropped: Dropped | null): void {
    const { prefix, suffix } = suggestion;
    const key = keyOf(variant, prefix, suffix);
    this.#entries.delete(key);
    this.#entries.set(key, { suggestion, dropped });
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  /** Looks at the cursor, then further and further back for a completion whose beginning was typed since. */
  find(variant: string, now: Place): CacheHit<Dropped> | null {
    for (let typed = 0; typed <= Math.min(longestTyped, now.prefix.length); typed++) {
      const key = keyOf(variant, now.prefix.slice(0, now.prefix.length - typed), now.suffix);
      const entry = this.#entries.get(key);
      const hit = entry && hitOf(entry, now);
      if (!entry || !hit) continue;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return hit;
    }
    return null;
  }

  clear(): void {
    this.#entries.clear();
  }
}

function hitOf<Dropped>({ suggestion, dropped }: Entry<Dropped>, now: Place): CacheHit<Dropped> | null {
  if (dropped !== null) {
    const isSamePlace =
      typedSince(suggestion.prefix, now.prefix) === "" && headOf(suggestion.suffix) === headOf(now.suffix);
    return isSamePlace ? { insertion: null, dropped } : null;
  }
  const insertion = remainder(suggestion, now);
  return insertion && { insertion, dropped: null };
}

const keyLength = 300;

// Only finds an entry; `hitOf` compares all of it. The rest of the cursor's line is left out because editors add and step
// over closing characters there.
function keyOf(variant: string, prefix: string, suffix: string): string {
  return `${variant}\0${prefix.slice(-keyLength)}\0${linesBelow(suffix).slice(0, keyLength)}`;
}
