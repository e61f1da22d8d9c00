/**
 * Those that no other beats: a lower `cost` and a higher `gain` are better. In the order of cost; of several that are
 * equal in both the first.
 */
export function paretoFront<T>(items: readonly T[], cost: (item: T) => number, gain: (item: T) => number): T[] {
  const front: T[] = [];
  for (const item of [...items].sort((a, b) => cost(a) - cost(b) || gain(b) - gain(a))) {
    const best = front.at(-1);
    if (best === undefined || gain(item) > gain(best)) front.push(item);
  }
  return front;
}
