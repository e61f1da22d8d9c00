// Whether a keystroke asks the engine at all, and how long to wait before.
import { isBlank } from "./lines.ts";
import type { LastChange } from "./typingRhythm.ts";

/** Why a document gets no completions, wherever the cursor is. */
export type DocumentSkip = "off" | "language-off" | "snoozed" | "scheme" | "secret-file" | "ignored-file" | "huge-file";

/** Why this position or this change gets none. */
export type PositionSkip = "selection" | "several-cursors" | "undo-redo" | "deletion" | "rest-of-line";

export type SkipReason = DocumentSkip | PositionSkip;

export type TriggerKind = "automatic" | "invoked";

export interface DocumentSituation {
  readonly kind: TriggerKind;
  readonly isOn: boolean;
  readonly isLanguageOn: boolean;
  readonly isSnoozed: boolean;
  readonly scheme: string;
  readonly isSecret: boolean;
  readonly isIgnored: boolean;
  readonly isHuge: boolean;
}

const completedSchemes: ReadonlySet<string> = new Set(["file", "untitled", "vscode-notebook-cell", "vscode-remote"]);

/** Asked before any text is read, so that what is in secret and ignored files goes nowhere. */
export function decideDocument(document: DocumentSituation): DocumentSkip | null {
  if (!document.isOn) return "off";
  if (!document.isLanguageOn) return "language-off";
  if (!completedSchemes.has(document.scheme)) return "scheme";
  if (document.isSecret) return "secret-file";
  if (document.isIgnored) return "ignored-file";
  if (document.isHuge) return "huge-file";
  if (document.isSnoozed && document.kind === "automatic") return "snoozed";
  return null;
}

/** What the editor knows about the moment of a request. */
export interface Trigger {
  readonly kind: TriggerKind;
  /** The last change of this document; "none" when the cursor came here without one. */
  readonly lastChange: LastChange;
  readonly isSelectionEmpty: boolean;
  readonly cursorCount: number;
  /** Times between the last keystrokes, in any order. */
  readonly typingIntervalsMs: readonly number[];
  /** What the engine usually takes for one completion; null before the first. */
  readonly latencyMs: number | null;
  readonly onBattery: boolean;
  /** The wait a person chose; null lets Hotpath choose. */
  readonly fixedDelayMs: number | null;
}

export type TriggerDecision =
  | { readonly kind: "skip"; readonly reason: PositionSkip }
  | { readonly kind: "request"; readonly delayMs: number };

// Closing brackets and quotes, punctuation, closing tags.
const restThatMayFollow = /^(?:[\s)\]}>"'`;,:]|<\/[\w.:-]*>)*$/;

/** `before` and `after` are the cursor's line on both sides of the cursor. */
export function decideTrigger(trigger: Trigger, before: string, after: string): TriggerDecision {
  if (!trigger.isSelectionEmpty) return skip("selection");
  if (trigger.cursorCount > 1) return skip("several-cursors");
  if (trigger.kind === "invoked") return { kind: "request", delayMs: 0 };
  if (trigger.lastChange === "undo" || trigger.lastChange === "redo") return skip("undo-redo");
  if (trigger.lastChange === "delete") return skip("deletion");
  if (!restThatMayFollow.test(after)) return skip("rest-of-line");
  return { kind: "request", delayMs: chooseDelay(trigger, before) };
}

function skip(reason: PositionSkip): TriggerDecision {
  return { kind: "skip", reason };
}

const shortestDelayMs = 25;
const longestDelayMs = 75;
const batteryFactor = 4;

function chooseDelay(trigger: Trigger, before: string): number {
  if (trigger.fixedDelayMs !== null) return trigger.fixedDelayMs;
  if (isBlank(before)) return 0;
  const delayMs = shortestDelayMs + (longestDelayMs - shortestDelayMs) * wasteLikelihood(trigger);
  return Math.round(trigger.onBattery ? delayMs * batteryFactor : delayMs);
}

const pauseMs = 1000;

/**
 * From 0 (the engine answers between two keystrokes) to 1 (three keystrokes overtake an answer, so that most of what a
 * request costs is thrown away). Half way while nothing is known.
 */
function wasteLikelihood({ typingIntervalsMs, latencyMs }: Trigger): number {
  const rhythm = typingIntervalsMs.filter((interval) => interval > 0 && interval < pauseMs).sort((a, b) => a - b);
  const typical = rhythm[Math.floor(rhythm.length / 2)];
  if (typical === undefined || latencyMs === null) return 0.5;
  return Math.min(1, Math.max(0, (latencyMs / typical - 1) / 2));
}
