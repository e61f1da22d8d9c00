// A GPU that is not here, as a plan needs it: a usual card of so much memory.
import type { MachineRates } from "../protocol/planning.ts";

interface Card {
  readonly memoryGB: number;
  readonly name: string;
  /** As the maker states it. */
  readonly peakGBps: number;
}

const cards: readonly Card[] = [
  { memoryGB: 8, name: "GeForce RTX 4060", peakGBps: 272 },
  { memoryGB: 12, name: "GeForce RTX 3060", peakGBps: 360 },
  { memoryGB: 16, name: "GeForce RTX 5060 Ti", peakGBps: 448 },
  { memoryGB: 24, name: "GeForce RTX 3090", peakGBps: 936 },
  { memoryGB: 32, name: "GeForce RTX 5090", peakGBps: 1792 },
  { memoryGB: 80, name: "A100", peakGBps: 2039 },
];

/** What products of a matrix and a vector reach of the stated bandwidth. */
const reachedShare = 0.82;
/** Launches per layer, and an exchange over PCIe: usual on desktops. */
const latencies = { gpuLayerUs: 25, exchangeUs: 25 };

type GpuRates = Pick<MachineRates, "gpuGBps" | "gpuLayerUs" | "exchangeUs">;

export function imaginedGpu(memoryBytes: number, peakGBps?: number): { rates: GpuRates; name: string } {
  // Makers count memory in GiB, people in GB; both find the card.
  const card = cards.find(({ memoryGB }) => memoryBytes <= memoryGB * 1024 ** 3) ?? cards[cards.length - 1];
  const peak = peakGBps ?? card?.peakGBps ?? 0;
  const name = peakGBps === undefined ? `taken to be like ${card?.name}, ${peak} GB/s` : `taken to have ${peak} GB/s`;
  return { rates: { gpuGBps: peak * reachedShare, ...latencies }, name };
}
