import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/completion/outcome.ts";
import { CompletionHistory, type HistoryEntry, skippedOutcome } from "../../../src/editor/completionHistory.ts";
import { renderLogLine, renderTestCase, renderTrace } from "../../../src/editor/traceText.ts";

const outcome: Outcome = {
  text: "self.y = y",
  replaceAfter: 1,
  source: "engine",
  reason: null,
  timings: { delayMs: 50, queuedMs: 2.4, ttftMs: 112.3, totalMs: 1480 },
  stats: {
    promptTokens: 120,
    reusedTokens: 98,
    cutTokens: 0,
    generatedTokens: 6,
    ttftMs: 60,
    totalMs: 190,
    prefillTokensPerSecond: 812.3,
    decodeTokensPerSecond: 41.6,
    tokenTimesMs: null,
    sparsity: null,
    hot: null,
  },
  trace: { prefixLength: 30, suffixLength: 8, maxLines: 1, rawText: "self.y = y  \nx", changedBy: ["trailingBlanks"] },
};

const completed: HistoryEntry = {
  atMs: new Date(2026, 0, 15, 14, 5, 9).getTime(),
  file: "src/point.py",
  line: 4,
  column: 9,
  languageId: "python",
  place: { prefix: "1\n2\n3\n4\n5\n6\n7\n8\n9\n        ", suffix: ")\n\nclass" },
  outcome,
};

const secret: HistoryEntry = {
  ...completed,
  file: ".env",
  line: 1,
  column: 5,
  languageId: "properties",
  place: null,
  outcome: skippedOutcome("secret-file"),
};

describe("renderTrace", () => {
  it("shows what went in, what came out and what was done to it, newest first", () => {
    expect(renderTrace([completed, secret])).toBe(`# Last completions, newest first

This text is in memory only. It shows parts of your files: read it before you share it.

## 14:05:09 .env:1:5 (properties)

Nothing shown: the file may hold secrets.

## 14:05:09 src/point.py:4:9 (python)

Source: engine, replacing 1 characters after the cursor.
Time: first text after 112 ms, total 1.5 s; waited 50 ms for a pause in typing, 2 ms in the queue.
Tokens: 120 in the prompt (98 reused), 6 generated.
Speed: prefill 812 tok/s, decode 42 tok/s.
Before the cursor, end of 26 characters:
    | 3
    | 4
    | 5
    | 6
    | 7
    | 8
    | 9
    | ········
After the cursor, start of 8 characters:
    | )
    |
    | class
The model wrote (at most 1 line asked for):
    | self.y = y··
    | x
Changed by: trailingBlanks
Shown:
    | self.y = y
`);
  });

  it("says so when there is nothing to show", () => {
    expect(renderTrace([])).toContain("Nothing was completed yet.");
  });
});

describe("renderLogLine", () => {
  it("says where the text came from and how fast, without the text", () => {
    const line = renderLogLine(completed);
    expect(line).toBe(
      "src/point.py:4:9 engine: first text 112 ms, total 1.5 s, 120 prompt tokens (98 reused), 6 generated, 42 tok/s",
    );
    expect(line).not.toContain("self");
  });

  it("says why when nothing was shown", () => {
    const superseded: Outcome = { ...outcome, text: "", source: "none", reason: "superseded", stats: null };
    expect(renderLogLine({ ...completed, outcome: superseded })).toBe(
      "src/point.py:4:9 nothing: typing went on before the answer came",
    );
  });
});

describe("renderTestCase", () => {
  it("holds the newest completion whose text was read", () => {
    expect(JSON.parse(renderTestCase([completed, secret]) ?? "")).toEqual({
      languageId: "python",
      ...completed.place,
      outcome,
    });
  });

  it("is null when no text was read", () => {
    expect(renderTestCase([secret])).toBeNull();
  });
});

describe("CompletionHistory", () => {
  function historyOf(...entries: HistoryEntry[]) {
    const history = new CompletionHistory();
    for (const entry of entries) history.add(entry);
    return history.entries;
  }

  it("keeps the last of equal skips in a row", () => {
    const later = { ...secret, column: 6 };
    expect(historyOf(completed, secret, later)).toEqual([completed, later]);
  });

  it("keeps skips of different files or reasons", () => {
    const other = { ...secret, file: "key.pem" };
    const off = { ...secret, outcome: skippedOutcome("off") };
    expect(historyOf(secret, other, off)).toHaveLength(3);
  });

  it("forgets the oldest when it is full", () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ ...completed, line: index }));
    const kept = historyOf(...many);
    expect([kept.length, kept[0]?.line, kept.at(-1)?.line]).toEqual([50, 10, 59]);
  });
});
