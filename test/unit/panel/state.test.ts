import { describe, expect, it } from "vitest";
import type { LiveRun } from "../../../src/panel/protocol.ts";
import { initialState, type PageState, reduce, type ShownMessage } from "../../../src/panel/state.ts";
import { madeUpRuns, madeUpView, olderView } from "../../support/panelViews.ts";

const live: LiveRun = {
  runId: "20261122-201500-3fa9c1",
  phase: "measuring",
  what: "HumanEval/12 on starter (exact)",
  done: 12,
  total: 40,
  remainingMs: 60_000,
  isPaused: false,
  completions: "ahead",
};

function stateAfter(messages: readonly ShownMessage[], from: PageState = initialState): PageState {
  return messages.reduce((state, message) => reduce(state, message, 7), from);
}

describe("the state of the page", () => {
  it("takes an estimate for the draft as it is now, and no older one", () => {
    const estimate = { leastMs: 1000, mostMs: 5000, problem: null };
    expect(stateAfter([{ type: "estimate", draftId: 6, estimate }]).estimate).toBeNull();
    expect(stateAfter([{ type: "estimate", draftId: 7, estimate }]).estimate).toEqual(estimate);
  });

  it("forgets the recommendation of another run, and keeps that of a run that grows", () => {
    const view = madeUpView();
    const recommended = stateAfter([
      { type: "view", view },
      { type: "recommendation", runId: view.runId, subject: "dense-7b", text: "Take it." },
    ]);
    expect(stateAfter([{ type: "view", view: madeUpView() }], recommended).recommendation?.text).toBe("Take it.");
    expect(stateAfter([{ type: "view", view: olderView() }], recommended).recommendation).toBeNull();
  });

  it("takes no recommendation for a run that is not shown", () => {
    const state = stateAfter([
      { type: "view", view: madeUpView() },
      { type: "recommendation", runId: "another", subject: null, text: "None." },
    ]);
    expect(state.recommendation).toBeNull();
  });

  it("shows no run that was deleted", () => {
    const shown = stateAfter([
      { type: "view", view: madeUpView() },
      { type: "comparison", view: olderView() },
      { type: "runs", runs: madeUpRuns.slice(0, 2), unreadable: [] },
    ]);
    expect(shown.view?.runId).toBe(madeUpView().runId);
    expect(shown.comparison).toBeNull();
  });

  it("compares a run that grows, and ends the comparison when another is opened", () => {
    const compared = stateAfter([
      { type: "view", view: madeUpView() },
      { type: "comparison", view: olderView() },
    ]);
    expect(stateAfter([{ type: "view", view: madeUpView() }], compared).comparison).toEqual(olderView());
    expect(stateAfter([{ type: "view", view: olderView() }], compared).comparison).toBeNull();
  });

  it("offers to resume until a run goes on", () => {
    const offered = stateAfter([{ type: "interrupted", runId: "20261121-180000-aa12b3" }]);
    expect(offered.interrupted).toBe("20261121-180000-aa12b3");
    expect(stateAfter([{ type: "live", run: null }], offered).interrupted).toBe("20261121-180000-aa12b3");
    expect(stateAfter([{ type: "live", run: live }], offered).interrupted).toBeNull();
  });

  it("clears a notice when another page is opened", () => {
    const told = stateAfter([{ type: "notice", kind: "error", text: "The disk is full." }]);
    expect(told.notice?.text).toBe("The disk is full.");
    expect(stateAfter([{ type: "show", tab: "history" }], told)).toMatchObject({ tab: "history", notice: null });
  });
});
