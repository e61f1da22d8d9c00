// What a set of samples is like.

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Percentiles are told only from as many samples as leave some beyond them (MLPerf asks for the like). */
export const leastSamples = { p50: 20, p95: 100, p99: 500 } as const;

/** An interval at 95 % is told from as many samples on; of fewer not even all of them hold the median so often. */
export const leastForInterval = 6;

/** null: not known, from too few samples, or computed from other figures and not from samples. */
export interface Figure {
  readonly count: number;
  /** The median, of however few; of several groups of samples, such as prompts, the mean of their medians. */
  readonly typical: number;
  /** Of `typical`, at 95 %. */
  readonly interval: Interval | null;
  readonly mean: number | null;
  /** Standard deviation of the samples; null for a single one. */
  readonly sd: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** null for no samples. */
export function describeSamples(values: readonly number[]): Figure | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const percentile = (q: number, least: number) => (sorted.length < least ? null : quantileOfSorted(sorted, q));
  return {
    count: sorted.length,
    typical: quantileOfSorted(sorted, 0.5),
    interval: medianInterval(sorted),
    mean: mean(values),
    sd: values.length < 2 ? null : standardDeviation(values),
    p50: percentile(0.5, leastSamples.p50),
    p95: percentile(0.95, leastSamples.p95),
    p99: percentile(0.99, leastSamples.p99),
  };
}

/**
 * Of samples of unlike things, such as prompts of several lengths: a median over all would lie between them, typical of
 * none. Percentiles are those of all. null where a group has no samples: the others' mean would be of other things.
 */
export function describeGroups(groups: readonly (readonly number[])[]): Figure | null {
  const figures = groups.map(describeSamples).filter((figure) => figure !== null);
  if (figures.length < groups.length) return null;
  const all = describeSamples(groups.flat());
  if (!all || figures.length < 2) return all;
  return { ...all, typical: mean(figures.map(({ typical }) => typical)), interval: intervalOfMean(figures) };
}

/** The groups are independent of each other, so their errors add up in squares, above and below apart. */
function intervalOfMean(figures: readonly Figure[]): Interval | null {
  let [below, above] = [0, 0];
  for (const { typical, interval } of figures) {
    if (!interval) return null;
    below += (typical - interval.low) ** 2;
    above += (interval.high - typical) ** 2;
  }
  const center = mean(figures.map(({ typical }) => typical));
  const count = figures.length;
  return { low: center - Math.sqrt(below) / count, high: center + Math.sqrt(above) / count };
}

/** Linear interpolation between closest ranks, as NumPy does (type 7 of Hyndman and Fan 1996). NaN for no values. */
export function quantile(values: readonly number[], q: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), q);
}

function quantileOfSorted(sorted: Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the population the values are a sample of. */
export function standardDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/**
 * Between two of the samples, from the binomial distribution alone: at least 95 %, whatever the samples are like. null
 * for fewer than `leastForInterval`.
 */
function medianInterval(sorted: Float64Array): Interval | null {
  let rank = 0;
  for (const below of binomialCdf(sorted.length)) {
    if (below > 0.025) break;
    rank++;
  }
  const low = sorted[rank - 1];
  const high = sorted[sorted.length - rank];
  return low === undefined || high === undefined ? null : { low, high };
}

/** The probabilities of at most 0, 1, 2, ... heads in `n` tosses of a fair coin. */
export function* binomialCdf(n: number): Generator<number> {
  // In logarithms, as 2^-n is 0 for a thousand tosses.
  let logTerm = -n * Math.LN2;
  let sum = Math.exp(logTerm);
  for (let heads = 1; heads <= n; heads++) {
    yield sum;
    logTerm += Math.log((n - heads + 1) / heads);
    sum += Math.exp(logTerm);
  }
  yield 1;
}
