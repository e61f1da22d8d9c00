// A profile in characters: one line per layer.
import type { ProfiledLayer, ProfileSummary } from "../protocol/planning.ts";
import { formatPercent, formatTable } from "./format.ts";

const blocks = "▁▂▃▄▅▆▇█";

export function describeProfile({ modelName, layers }: ProfileSummary): string {
  const tokens = Math.max(0, ...layers.map((layer) => layer.tokens));
  const isDense = layers.every(({ activeShare, neuronCount }) => neuronCount === 0 || activeShare > 0.999);
  const lines = [
    `${modelName}: ${layers.length} layers, ${tokens} tokens`,
    "What the hottest 10, 26 and 50 % of the neurons have of all activations, and activity from the hottest on:",
    "",
    formatTable([["layer", "neurons", "active", "10 %", "26 %", "50 %", "activity"], ...layers.map(layerRow)]),
  ];
  if (isDense)
    lines.push("", "Every neuron is active for every token: this model has nothing that hot/cold could leave out.");
  return lines.join("\n");
}

function layerRow({ neuronCount, activeShare, curve, hottest26 }: ProfiledLayer, index: number): string[] {
  if (neuronCount === 0) return [String(index), "none", "", "", "", "", ""];
  const hottest = [curve[1] ?? 0, hottest26, curve[9] ?? 0].map(formatPercent);
  return [String(index), String(neuronCount), formatPercent(activeShare), ...hottest, sparkline(densities(curve))];
}

/** Activity in each twentieth of the neurons, as a multiple of the mean, from the curve of sums. */
export function densities(curve: readonly number[]): number[] {
  return curve.map((sum, index) => (sum - (curve[index - 1] ?? 0)) * curve.length);
}

function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values);
  return values.map((value) => blocks[Math.min(7, Math.floor((8 * value) / highest))] ?? blocks[0]).join("");
}
