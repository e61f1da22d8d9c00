import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/common/errors.ts";
import { Activity } from "../../../src/editor/activity.ts";

const stats = {
  promptTokens: 10,
  reusedTokens: 5,
  cutTokens: 0,
  generatedTokens: 4,
  ttftMs: 10,
  totalMs: 20,
  prefillTokensPerSecond: 100,
  decodeTokensPerSecond: 40,
  tokenTimesMs: null,
  sparsity: null,
  hot: null,
};
const measured = { stats, timings: { delayMs: 0, queuedMs: 0, ttftMs: 12, totalMs: 30 } };
const failure = new AppError("engine/exited", "gone");

describe("Activity", () => {
  it("generates until the last of several has ended, also when one fails", async () => {
    const activity = new Activity();
    let finish = () => {};
    const slow = activity.track(new Promise<void>((resolve) => (finish = resolve)));
    await expect(activity.track(Promise.reject(failure))).rejects.toBe(failure);
    expect(activity.isGenerating).toBe(true);
    finish();
    await slow;
    expect(activity.isGenerating).toBe(false);
  });

  it("keeps a failure until a completion succeeds", () => {
    const activity = new Activity();
    activity.noteFailure(failure);
    expect(activity.failure).toBe(failure);
    activity.noteOutcome(measured);
    expect(activity.failure).toBeNull();
  });

  it("forgets measurements and failures when it is reset", () => {
    const activity = new Activity();
    activity.noteOutcome(measured);
    activity.noteFailure(failure);
    activity.reset();
    expect([activity.latency.count, activity.failure]).toEqual([0, null]);
  });
});
