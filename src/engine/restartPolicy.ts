// How often a lost engine is started again.

const windowMs = 10 * 60_000;
/** Wait before the first, second, ... restart within the window. The first is short: a person is typing. */
const delaysMs = [100, 500, 2_000, 8_000] as const;

/** `lossesMs`: when engines were lost, the latest last. Gives the wait before the restart, or null: give up. */
export function decideRestart(lossesMs: readonly number[], nowMs: number): number | null {
  const recent = lossesMs.filter((loss) => nowMs - loss < windowMs).length;
  return delaysMs[Math.max(1, recent) - 1] ?? null;
}

export const restartLimit = { restarts: delaysMs.length, minutes: windowMs / 60_000 } as const;
