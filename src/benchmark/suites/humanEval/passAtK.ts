export interface SampleCount {
  /** Samples of one problem, and how many of them are right. */
  readonly samples: number;
  readonly correct: number;
}

/**
 * The chance that at least one of k samples is right, estimated without bias from n samples of which c are:
 * 1 - C(n-c, k) / C(n, k) (Chen et al., arXiv:2107.03374), as a product because the binomials overflow.
 * null: there are fewer than k samples.
 */
export function passAtK({ samples, correct }: SampleCount, k: number): number | null {
  if (k > samples) return null;
  if (samples - correct < k) return 1;
  let allWrong = 1;
  for (let i = samples - correct + 1; i <= samples; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** Mean over the problems; null where one has fewer than k samples, or there are none. */
export function meanPassAtK(counts: readonly SampleCount[], k: number): number | null {
  let sum = 0;
  for (const count of counts) {
    const chance = passAtK(count, k);
    if (chance === null) return null;
    sum += chance;
  }
  return counts.length === 0 ? null : sum / counts.length;
}
