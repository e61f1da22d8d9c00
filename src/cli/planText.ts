// A plan as people read it.
import { describeContext } from "../models/contextText.ts";
import type { PlanAnswer, PlannedLayer } from "../protocol/planning.ts";
import { formatBytes, formatPercent, formatRows, formatTable } from "./format.ts";

export interface PlanSurroundings {
  readonly gpuName: string | null;
  readonly ramBytes: number;
  readonly vramBytes: number;
}

export function describePlan(plan: PlanAnswer, { gpuName, ramBytes, vramBytes }: PlanSurroundings): string {
  const { model, layers } = plan;
  const gpu = gpuName ? `${formatBytes(vramBytes)} of GPU memory (${gpuName})` : "no GPU";
  const lines = [
    `${model.name}: ${model.architecture}, ${model.quantization}, ${layers.length} layers, ${formatBytes(model.fileBytes)}`,
    `${plan.isStock ? "llama.cpp alone" : `${plan.mode} mode`}, ${gpu}, ${describeContext(plan)}`,
    "",
    `Predicted: ${formatSpeed(plan.tokensPerSecond)} tokens/s${compared(plan)}`,
    `Why: ${plan.reason}`,
    "",
    formatTable([
      ["layers", "attention", "feed-forward", "hot on the GPU", "their activity", "active", "ms/token"],
      ...mergeLayers(layers).map(describeRange),
      ["output", "", plan.headOnGpu ? "GPU" : "CPU", "", "", "", plan.headMs.toFixed(2)],
    ]),
    "",
    formatRows(totals(plan), ""),
  ];
  if (plan.ramNeededBytes > ramBytes)
    lines.push(
      "",
      `Does not fit: ${formatBytes(plan.ramNeededBytes)} of RAM are needed, ${formatBytes(ramBytes)} are there.`,
    );
  for (const note of plan.notes) lines.push("", `Note: ${note}.`);
  return lines.join("\n");
}

function compared({ isStock, tokensPerSecond, stockTokensPerSecond }: PlanAnswer): string {
  if (isStock) return "";
  const ratio = (tokensPerSecond / stockTokensPerSecond).toFixed(1);
  return `, ${ratio} times llama.cpp alone at its best (${formatSpeed(stockTokensPerSecond)})`;
}

function totals(plan: PlanAnswer): [string, string][] {
  const sum = (of: (layer: PlannedLayer) => number) => plan.layers.reduce((total, layer) => total + of(layer), 0);
  const ms = (of: (layer: PlannedLayer) => number) => `${sum(of).toFixed(1)} ms`;
  const headBytes = (on: boolean) => (on ? plan.headBytes : 0);
  const fromRam = `${formatBytes(sum((l) => l.cpuBytes) + headBytes(!plan.headOnGpu))} from RAM`;
  const attention = `attention ${ms((l) => l.attentionMs)}`;
  const output = `output ${plan.headMs.toFixed(1)} ms`;
  const ram = `${formatBytes(plan.ramNeededBytes)} of RAM`;
  if (plan.rates.gpuGBps === 0) {
    return [
      ["time per token", `${attention}, feed-forward ${ms((l) => l.cpuMs)}, ${output}`],
      ["read per token", fromRam],
      ["memory", ram],
      ["reckoned with", describeRates(plan)],
    ];
  }
  const sides = `feed-forward on the CPU ${ms((l) => l.cpuMs)} beside ${ms((l) => l.gpuMs)} on the GPU`;
  const fromGpu = `${formatBytes(sum((l) => l.gpuBytes) + headBytes(plan.headOnGpu))} from GPU memory`;
  const vram = `${formatBytes(plan.vramUsedBytes)} of ${formatBytes(plan.budgetBytes)} that the GPU has for it`;
  return [
    ["time per token", `${attention}, ${sides}, exchange ${ms((l) => l.exchangeMs)}, ${output}`],
    ["read per token", `${fromRam}, ${fromGpu}`],
    ["memory", `${ram}, ${vram}`],
    ["reckoned with", describeRates(plan)],
  ];
}

function describeRates({ rates }: PlanAnswer): string {
  const cpu = `RAM ${rates.cpuStreamGBps.toPrecision(3)} GB/s streaming, ${rates.cpuGather4kGBps.toPrecision(3)} GB/s in 4 kB records`;
  if (rates.gpuGBps === 0) return cpu;
  return `${cpu}; GPU ${rates.gpuGBps.toPrecision(3)} GB/s, ${rates.exchangeUs.toFixed(0)} us per exchange`;
}

interface LayerRange {
  readonly first: number;
  readonly layers: readonly PlannedLayer[];
}

/** Neighbours whose parts are in the same places; how many neurons are hot may differ. */
function mergeLayers(layers: readonly PlannedLayer[]): LayerRange[] {
  const ranges: { first: number; layers: PlannedLayer[] }[] = [];
  const place = ({ attention, ffn, kind, hotCount }: PlannedLayer) => [attention, ffn, kind, hotCount > 0].join();
  layers.forEach((layer, index) => {
    const last = ranges.at(-1);
    if (last?.layers[0] && place(last.layers[0]) === place(layer)) last.layers.push(layer);
    else ranges.push({ first: index, layers: [layer] });
  });
  return ranges;
}

function describeRange({ first, layers }: LayerRange): string[] {
  const last = first + layers.length - 1;
  const [layer] = layers;
  const hot = layer && layer.hotCount > 0 ? `${span(layers, (l) => l.hotCount, String)} of ${layer.unitCount}` : "";
  return [
    first === last ? String(first) : `${first}-${last}`,
    layer?.attention === "gpu" ? "GPU" : "CPU",
    layer ? describeFfn(layer) : "",
    hot && `${hot} ${unitsOf(layer)}`,
    hot && span(layers, (l) => l.hotActivity, formatPercent),
    layer?.ffn === "split" ? span(layers, (l) => l.activeShare, formatPercent) : "",
    layers.reduce((sum, { totalMs }) => sum + totalMs, 0).toFixed(2),
  ];
}

function describeFfn({ ffn, hotCount }: PlannedLayer): string {
  if (ffn !== "split") return ffn === "gpu" ? "GPU" : "CPU";
  return hotCount > 0 ? "GPU + CPU" : "CPU, active only";
}

function unitsOf(layer: PlannedLayer | undefined): string {
  return layer?.kind === "experts" ? "experts" : "neurons";
}

function span(layers: readonly PlannedLayer[], of: (layer: PlannedLayer) => number, show: (value: number) => string) {
  const values = layers.map(of);
  const [least, most] = [show(Math.min(...values)), show(Math.max(...values))];
  return least === most ? least : `${least.replace(/ %$/, "")}-${most}`;
}

function formatSpeed(tokensPerSecond: number): string {
  return tokensPerSecond >= 100 ? tokensPerSecond.toFixed(0) : tokensPerSecond.toPrecision(3);
}
