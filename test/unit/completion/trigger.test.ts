import { describe, expect, it } from "vitest";
import { lineAfter, lineBefore } from "../../../src/completion/lines.ts";
import {
  type DocumentSituation,
  decideDocument,
  decideTrigger,
  type Trigger,
  type TriggerDecision,
} from "../../../src/completion/trigger.ts";
import { at } from "../../support/cursor.ts";

const document: DocumentSituation = {
  kind: "automatic",
  isOn: true,
  isLanguageOn: true,
  isSnoozed: false,
  scheme: "file",
  isSecret: false,
  isIgnored: false,
  isHuge: false,
};

const typing: Trigger = {
  kind: "automatic",
  lastChange: "insert",
  isSelectionEmpty: true,
  cursorCount: 1,
  typingIntervalsMs: [],
  latencyMs: null,
  onBattery: false,
  fixedDelayMs: null,
};

function decide(code: string, change: Partial<Trigger> = {}): TriggerDecision {
  const { prefix, suffix } = at(code);
  return decideTrigger({ ...typing, ...change }, lineBefore(prefix), lineAfter(suffix));
}

function delayOf(change: Partial<Trigger>): number | null {
  const decision = decide("return x█", change);
  return decision.kind === "request" ? decision.delayMs : null;
}

describe("decideDocument", () => {
  it("lets an ordinary file pass", () => {
    expect(decideDocument(document)).toBeNull();
  });

  it.each([
    ["off", { isOn: false }],
    ["language-off", { isLanguageOn: false }],
    ["scheme", { scheme: "git" }],
    ["scheme", { scheme: "output" }],
    ["secret-file", { isSecret: true }],
    ["ignored-file", { isIgnored: true }],
    ["huge-file", { isHuge: true }],
  ] as const)("says %s, by hand too, when %o", (reason, change) => {
    expect(decideDocument({ ...document, ...change })).toBe(reason);
    expect(decideDocument({ ...document, ...change, kind: "invoked" })).toBe(reason);
  });

  it("says snoozed only when not asked by hand", () => {
    expect(decideDocument({ ...document, isSnoozed: true })).toBe("snoozed");
    expect(decideDocument({ ...document, isSnoozed: true, kind: "invoked" })).toBeNull();
  });

  it.each(["file", "untitled", "vscode-notebook-cell", "vscode-remote"])("lets the scheme %s pass", (scheme) => {
    expect(decideDocument({ ...document, scheme })).toBeNull();
  });
});

describe("decideTrigger", () => {
  it.each(["█", "    █", "\t█\n}", "a\n█\nb"])("asks at once at the start of a line: %j", (code) => {
    expect(decide(code)).toEqual({ kind: "request", delayMs: 0 });
  });

  it.each([
    ["selection", { isSelectionEmpty: false }],
    ["several-cursors", { cursorCount: 2 }],
  ] as const)("skips for %s, by hand too", (reason, change) => {
    expect(decide("x█", change)).toEqual({ kind: "skip", reason });
    expect(decide("x█", { ...change, kind: "invoked" })).toEqual({ kind: "skip", reason });
  });

  it.each([
    ["undo-redo", { lastChange: "undo" }],
    ["undo-redo", { lastChange: "redo" }],
    ["deletion", { lastChange: "delete" }],
  ] as const)("skips for %s unless asked by hand", (reason, change) => {
    expect(decide("x█", change)).toEqual({ kind: "skip", reason });
    expect(decide("x█", { ...change, kind: "invoked" })).toEqual({ kind: "request", delayMs: 0 });
  });

  it.each(["foo(█)", "foo([█]);", 'say("█")', "`a {█}`", "x = █;", "<b>█</b>", "{ a: █ },", "f(█): "])(
    "asks when only closing brackets and punctuation follow: %j",
    (code) => {
      expect(decide(code).kind).toBe("request");
    },
  );

  it.each(["fo█o", "x = █ + 1", "f(█, b)", "█return", "a █// note"])("skips when more follows: %j", (code) => {
    expect(decide(code)).toEqual({ kind: "skip", reason: "rest-of-line" });
    expect(decide(code, { kind: "invoked" })).toEqual({ kind: "request", delayMs: 0 });
  });

  it("waits half way when nothing is known", () => {
    expect(delayOf({})).toBe(50);
  });

  it("waits least when the engine answers between two keystrokes", () => {
    expect(delayOf({ typingIntervalsMs: [180, 200, 220], latencyMs: 120 })).toBe(25);
  });

  it("waits longest when three keystrokes overtake an answer", () => {
    expect(delayOf({ typingIntervalsMs: [90, 100, 110], latencyMs: 900 })).toBe(75);
  });

  it("waits in proportion between", () => {
    expect(delayOf({ typingIntervalsMs: [100], latencyMs: 200 })).toBe(50);
  });

  it("takes no pause for rhythm", () => {
    expect(delayOf({ typingIntervalsMs: [100, 5000, 8000], latencyMs: 300 })).toBe(75);
  });

  it("waits up to 300 ms on battery", () => {
    expect(delayOf({ onBattery: true, typingIntervalsMs: [100], latencyMs: 900 })).toBe(300);
    expect(delayOf({ onBattery: true, typingIntervalsMs: [200], latencyMs: 100 })).toBe(100);
  });

  it("waits as long as the person chose, also at the start of a line", () => {
    expect(delayOf({ fixedDelayMs: 400, onBattery: true })).toBe(400);
    expect(decide("  █", { fixedDelayMs: 400 })).toEqual({ kind: "request", delayMs: 400 });
  });
});
