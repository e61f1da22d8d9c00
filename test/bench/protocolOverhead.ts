// What process and protocol cost per token: the same generation by the addon in this process and through the engine
// process, turn by turn.
import path from "node:path";
import type { Addon, NativeModel } from "../../src/engineHost/addon.ts";
import type { GenerateResult } from "../../src/protocol/model.ts";
import { engineSandbox, request, starter as starterSpec } from "../support/engineSandbox.ts";
import { atMost, type Bench, reported } from "./bench.ts";
import { median, quantile } from "./statistics.ts";

const pairs = 40;
/** The difference between a long and a short generation is what tokens cost; the rest is what a request costs. */
const [short, long] = [16, 272];
const task = (maxTokens: number) => request({ prefix: "import os\n".repeat(20), suffix: "", maxTokens, maxLines: 0 });

export const protocolOverhead: Bench = async ({ root }) => {
  const model = await loadInProcess(root);
  const sandbox = engineSandbox();
  const engine = sandbox.client();
  const direct = (tokens: number) => timed(() => model.generate(task(tokens), () => {}).result);
  const remote = (tokens: number) => timed(() => engine.generate(task(tokens), () => {}));
  const [perToken, perRequest]: [number[], number[]] = [[], []];
  for (let pair = -3; pair < pairs; pair++) {
    // Neighbours in time are compared, so that a drift of the machine's speed favours neither.
    const overheadMs = async (tokens: number) => -(await direct(tokens)) + (await remote(tokens));
    const [shortMs, longMs] = [await overheadMs(short), await overheadMs(long)];
    if (pair < 0) continue;
    perToken.push(((longMs - shortMs) / (long - short)) * 1000);
    perRequest.push(shortMs);
  }
  await sandbox.end();
  await model.unload();
  const spread = (values: number[], digits: number) =>
    `quartiles ${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)}`;
  const how = `${pairs} pairs of ${short} and ${long} tokens against the addon in one process`;
  return [
    atMost("process and protocol per token", median(perToken), "us", 50, `${how}; ${spread(perToken, 1)} us`),
    reported("process and protocol per request", median(perRequest), "ms", `${how}; ${spread(perRequest, 2)} ms`),
  ];
};

async function loadInProcess(root: string): Promise<NativeModel> {
  const native = path.join(root, "dist", "native");
  const module = { exports: {} };
  process.dlopen(module, path.join(native, "hotpath.node"));
  const addon = module.exports as Addon;
  addon.start({ libraryDirectories: [native], onLog: () => {} });
  return addon.load({ ...starterSpec, sidecars: [], profile: "", cudaLibrary: "", rates: null }, () => {}).result;
}

async function timed(run: () => Promise<GenerateResult>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
