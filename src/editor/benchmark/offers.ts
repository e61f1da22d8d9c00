// What the form of the panel offers.

import path from "node:path";
import type { DatasetStore } from "../../benchmark/datasets/datasetStore.ts";
import { formatBytes } from "../../benchmark/report/numbers.ts";
import type { SuiteId } from "../../benchmark/suite.ts";
import { datasetsOf } from "../../benchmark/suites/prepareSuite.ts";
import { readRecentModels } from "../../models/recentModels.ts";
import { starterDescription } from "../../models/starterModel.ts";
import type { ModelChoice, ShapeChoice, SuiteOffer } from "../../panel/protocol.ts";

type Offer = Pick<SuiteOffer, "title" | "description" | "runsCode" | "subjects" | "taskCount">;

const suites: readonly (readonly [SuiteId, Offer])[] = [
  [
    "latency",
    {
      title: "Latency sweep",
      description: "Time to the first token, per token, and to 25, 50 and 100 tokens of real code prompts.",
      runsCode: false,
      subjects: "models",
      taskCount: null,
    },
  ],
  [
    "sizes",
    {
      title: "Size sweep",
      description: "The same for models of 0.5B to 70B without downloading them.",
      runsCode: false,
      subjects: "shapes",
      taskCount: null,
    },
  ],
  [
    "keystrokes",
    {
      title: "Keystrokes, simulated typing",
      description:
        "Simulated typing of real code, and what you recorded, replayed through completion: the times you would feel.",
      runsCode: false,
      subjects: "models",
      taskCount: null,
    },
  ],
  [
    "starter",
    {
      title: "Starter set",
      description:
        "Small Python problems written for Hotpath: whole bodies and single lines, counted apart; works offline.",
      runsCode: true,
      subjects: "models",
      taskCount: 80,
    },
  ],
  [
    "humaneval",
    {
      title: "HumanEval",
      description: "The well-known Python problems, greedy, pass@1.",
      runsCode: true,
      subjects: "models",
      taskCount: 164,
    },
  ],
  [
    "infill-single",
    {
      title: "HumanEval infilling, single line",
      description: "A missing line of working code: what resembles completion most.",
      runsCode: true,
      subjects: "models",
      taskCount: 1033,
    },
  ],
  [
    "infill-multi",
    {
      title: "HumanEval infilling, several lines",
      description: "Several missing lines of working code.",
      runsCode: true,
      subjects: "models",
      taskCount: 5815,
    },
  ],
  [
    "gsm8k-cot",
    {
      title: "GSM8K, chain of thought",
      description: "Word problems with eight worked examples.",
      runsCode: false,
      subjects: "models",
      taskCount: 1319,
    },
  ],
  [
    "gsm8k-5shot",
    {
      title: "GSM8K, five examples",
      description: "Word problems with five examples of the training set.",
      runsCode: false,
      subjects: "models",
      taskCount: 1319,
    },
  ],
];

export async function offerSuites(store: DatasetStore): Promise<SuiteOffer[]> {
  return Promise.all(suites.map(async ([id, offer]) => ({ id, ...offer, fetches: await fetchNote(id, store) })));
}

/** null: everything it needs is here. */
async function fetchNote(id: SuiteId, store: DatasetStore): Promise<string | null> {
  const needed = await Promise.all(
    datasetsOf(id).map(async (dataset) => ((await store.has(dataset)) ? [] : [dataset])),
  );
  const missing = needed.flat();
  if (missing.length === 0) return null;
  const bytes = missing.reduce((sum, dataset) => sum + dataset.bytes, 0);
  const places = [...new Set(missing.map(({ repository }) => `github.com/${repository}`))].join(" and ");
  return `Fetches ${formatBytes(bytes)} from ${places} first.`;
}

/** Presets of `hotpath synth`, smallest first. */
export const offeredShapes: readonly ShapeChoice[] = [
  { id: "0.5b", label: "0.5B, as Qwen2.5-Coder" },
  { id: "1.5b", label: "1.5B, as Qwen2.5-Coder" },
  { id: "3b", label: "3B, as Qwen2.5-Coder" },
  { id: "qwen-7b", label: "7B, as Qwen2.5-Coder" },
  { id: "7b", label: "7B, as Llama 2" },
  { id: "13b", label: "13B, as Llama 2" },
  { id: "14b", label: "14B, as Qwen2.5-Coder" },
  { id: "32b", label: "32B, as Qwen2.5-Coder" },
  { id: "34b", label: "34B, as CodeLlama" },
  { id: "70b", label: "70B, as Llama 2" },
  { id: "30b-a3b", label: "30B of which 3B are active, as Qwen3-Coder" },
];

/** The one in use, the starter model, those used before, and those that were browsed for in this window. */
export function offerModels(active: string, starter: string, browsed: readonly string[]): ModelChoice[] {
  const paths = [...new Set([active, starter, ...browsed, ...readRecentModels()])];
  return paths.map((file) => ({
    path: file,
    label: file === starter ? "Starter" : path.basename(file),
    detail: file === starter ? starterDescription : path.dirname(file),
    isActive: file === active,
  }));
}
