import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Snooze, type SnoozedUntil } from "../../../src/editor/snooze.ts";

function watchedSnooze() {
  const snooze = new Snooze();
  const seen: SnoozedUntil[] = [];
  snooze.onDidChange((until) => seen.push(until));
  return { snooze, seen };
}

describe("Snooze", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));
  afterEach(() => void vi.useRealTimers());

  it("ends by itself when its time is over", () => {
    const { snooze, seen } = watchedSnooze();
    snooze.startFor(5);
    vi.advanceTimersByTime(299_999);
    expect(snooze.until).toBe(300_000);
    vi.advanceTimersByTime(1);
    expect(snooze.until).toBeNull();
    expect(seen).toEqual([300_000, null]);
  });

  it("forgets the earlier end when it is started again", () => {
    const { snooze } = watchedSnooze();
    snooze.startFor(5);
    snooze.startUntilRestart();
    vi.advanceTimersByTime(600_000);
    expect(snooze.until).toBe("restart");
  });

  it("ends at once when the user says so", () => {
    const { snooze, seen } = watchedSnooze();
    snooze.startFor(60);
    snooze.end();
    vi.advanceTimersByTime(3_600_000);
    expect(seen).toEqual([3_600_000, null]);
  });

  it("leaves no timer behind when it is disposed", () => {
    const { snooze } = watchedSnooze();
    snooze.startFor(5);
    snooze.dispose();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lasts as long as a benchmark holds it, and gives back the user's own", () => {
    const { snooze, seen } = watchedSnooze();
    const hold = snooze.hold();
    snooze.startUntilRestart();
    expect(snooze.until).toBe("benchmark");
    hold.dispose();
    expect(seen).toEqual(["benchmark", "benchmark", "restart"]);
  });

  it("gives a hold back once, however often it is disposed of", () => {
    const { snooze } = watchedSnooze();
    const [first, second] = [snooze.hold(), snooze.hold()];
    first.dispose();
    first.dispose();
    expect(snooze.until).toBe("benchmark");
    second.dispose();
    expect(snooze.until).toBeNull();
  });
});
