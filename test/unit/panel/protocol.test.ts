import { describe, expect, it } from "vitest";
import { firstDraft } from "../../../src/panel/draft.ts";
import { contentSecurityPolicy, panelHtml } from "../../../src/panel/html.ts";
import { type FromPage, isFromPage } from "../../../src/panel/protocol.ts";
import { madeUpChoices } from "../../support/panelViews.ts";

const draft = firstDraft(madeUpChoices);
const isolation = {
  place: "panel",
  level: "full",
  layers: [{ name: "own origin", isPresent: true, detail: "origin null" }],
  interpreter: "Pyodide 314.0.7, CPython 3.14.2",
} as const;

const messages: readonly FromPage[] = [
  { type: "hello", runId: null },
  { type: "browseModel" },
  { type: "estimate", draftId: 3, draft },
  { type: "start", draft },
  { type: "pause" },
  { type: "continue" },
  { type: "cancel" },
  { type: "resume", runId: "20261122-201500-3fa9c1", consent: "none" },
  { type: "open", runId: "20261122-201500-3fa9c1" },
  { type: "delete", runId: "20261122-201500-3fa9c1" },
  { type: "compare", runId: "20261122-201500-3fa9c1" },
  { type: "recommend", runId: "20261122-201500-3fa9c1", budgetMs: 300 },
  { type: "use", runId: "20261122-201500-3fa9c1", subject: "dense-7b" },
  { type: "export", runId: "20261122-201500-3fa9c1", format: "html", figure: "e2e25Ms" },
  { type: "sandboxReady", id: 3, isolation },
  { type: "sandboxFailed", id: 3, message: "no worker", isReduced: false },
  { type: "verdict", id: 4, verdict: { outcome: "passed", message: null, wallMs: 12.5 } },
  { type: "programFailed", id: 4, message: "closed" },
];

describe("messages of the page", () => {
  it.each(messages.map((message) => [message.type, message] as const))(
    "are taken as they should be: %s",
    (_, message) => {
      expect(isFromPage(message)).toBe(true);
    },
  );

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["text", "start"],
    ["a type of no message", { type: "constructor" }],
    ["a run without id", { type: "open" }],
    ["a path that is too long to be one", { type: "open", runId: "x".repeat(20_000) }],
    ["a consent nobody can give", { type: "resume", runId: "x", consent: "all" }],
    ["a budget of nothing", { type: "recommend", runId: "x", budgetMs: Number.NaN }],
    ["a format nobody writes", { type: "export", runId: "x", format: "exe", figure: "e2e25Ms" }],
    ["a draft of no problems", { type: "start", draft: { ...draft, limit: 0 } }],
    ["a draft of no rounds", { type: "start", draft: { ...draft, rounds: 0 } }],
    ["a draft with a suite nobody knows", { type: "start", draft: { ...draft, suites: ["rm -rf"] } }],
    ["a draft with a model that is no path", { type: "start", draft: { ...draft, models: [7] } }],
    ["a draft without end", { type: "start", draft: { ...draft, models: Array(1000).fill("m") } }],
    ["a verdict nobody gives", { type: "verdict", id: 1, verdict: { outcome: "won", message: null, wallMs: 1 } }],
    ["isolation of another place", { type: "sandboxReady", id: 3, isolation: { ...isolation, place: "child" } }],
  ])("are refused: %s", (_, message) => {
    expect(isFromPage(message)).toBe(false);
  });
});

describe("the document of the panel", () => {
  const html = panelHtml({ nonce: "n0nce", scriptUri: "https://x/main.js", styleUri: "https://x/style.css" });

  it("allows its script, its style and its workers, and nothing else", () => {
    expect(contentSecurityPolicy("n0nce").split("; ")).toEqual([
      "default-src 'none'",
      "script-src 'nonce-n0nce' 'wasm-unsafe-eval'",
      "style-src 'nonce-n0nce'",
      "worker-src data:",
      "connect-src 'none'",
    ]);
    expect(html).toContain(contentSecurityPolicy("n0nce"));
  });

  it("holds no inline script and no inline style", () => {
    expect(html.match(/<script[^>]*>([^<]*)</)?.[1]).toBe("");
    expect(html).not.toMatch(/<style|style=|onload/);
  });
});
