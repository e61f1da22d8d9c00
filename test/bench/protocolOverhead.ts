// What process and protocol cost per token: the same generation by the addon in this process and through the engine
// process, turn by turn.
import path from "node:path";
import type { Addon, NativeModel } from "../../src/engineHost/addon.ts";
import type { GenerateResult } from "../../src/protocol/model.ts";
import { engineSandbox, request, starter as starterSpec } from "../support/engineSandbox.ts";
import { atMost, type Bench, reported } from "./bench.ts";
import { median, quantile } from "./statistics.ts";

const pairs = 60;
const task = request({ prefix: "import os\n".repeat(20), suffix: "", maxTokens: 64, maxLines: 0 });

export const protocolOverhead: Bench = async ({ root }) => {
  const model = await loadInProcess(root);
  const sandbox = engineSandbox();
  const engine = sandbox.client();
  const direct = () => timed(() => model.generate(task, () => {}).result);
  const remote = () => timed(() => engine.generate(task, () => {}));
  const differences: number[] = [];
  let tokens = 0;
  for (let pair = -5; pair < pairs; pair++) {
    // Which of the two goes first alternates, so that a drift of the machine's speed favours neither.
    const [a, b] = pair % 2 === 0 ? [await direct(), await remote()].reverse() : [await remote(), await direct()];
    if (!a || !b || pair < 0) continue;
    tokens = a.tokens;
    differences.push(((a.ms - b.ms) / tokens) * 1000);
  }
  await sandbox.end();
  await model.unload();
  const how = `${pairs} pairs of ${tokens} tokens; 25 % ${quantile(differences, 0.25).toFixed(1)}, 75 % ${quantile(differences, 0.75).toFixed(1)} us`;
  return [
    atMost("process and protocol per token", median(differences), "us", 50, how),
    reported("process and protocol per request", (median(differences) * tokens) / 1000, "ms", how),
  ];
};

async function loadInProcess(root: string): Promise<NativeModel> {
  const native = path.join(root, "dist", "native");
  const module = { exports: {} };
  process.dlopen(module, path.join(native, "hotpath.node"));
  const addon = module.exports as Addon;
  addon.start({ libraryDirectories: [native], onLog: () => {} });
  return addon.load(starterSpec, () => {}).result;
}

async function timed(run: () => Promise<GenerateResult>): Promise<{ ms: number; tokens: number }> {
  const start = performance.now();
  const { stats } = await run();
  return { ms: performance.now() - start, tokens: stats.generatedTokens };
}
