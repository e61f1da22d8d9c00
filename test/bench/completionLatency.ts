// What a person waits for: first text with and without the KV cache, and after the engine was killed.
import { engineSandbox, kill, request } from "../support/engineSandbox.ts";
import { atMost, type Bench, reported } from "./bench.ts";
import { median } from "./statistics.ts";

const repeats = 15;
const code = Array.from({ length: 120 }, (_, i) => `def f${i}(a, b):\n    return a * ${i} + b\n`).join("\n");

export const prefixReuse: Bench = async () => {
  const sandbox = engineSandbox();
  const engine = sandbox.client();
  const [cold, warm]: [number[], number[]] = [[], []];
  let [promptTokens, reusedTokens] = [0, 0];
  for (let i = 0; i < repeats; i++) {
    // A first line of its own makes the whole prompt new; the second request types one character on.
    const prefix = `# ${i} ${"x".repeat(i)}\n${code}\ndef last(a):\n    retur`;
    const options = { suffix: "", maxTokens: 4, documentId: `d${i % 4}`, sequenceKey: `d${i % 4}` };
    cold.push((await engine.generate(request({ ...options, prefix }), () => {})).stats.ttftMs);
    const { stats } = await engine.generate(request({ ...options, prefix: `${prefix}n` }), () => {});
    warm.push(stats.ttftMs);
    ({ promptTokens, reusedTokens } = stats);
  }
  await sandbox.end();
  const how = `${repeats} pairs; prompt ${promptTokens} tokens, ${reusedTokens} reused after one more character`;
  return [
    reported("first token, new prompt", median(cold), "ms", how),
    reported("first token, one character on", median(warm), "ms", how),
    reported("prefix reuse is faster", median(cold) / median(warm), "times", how),
  ];
};

export const recovery: Bench = async () => {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const sandbox = engineSandbox();
    const engine = sandbox.client();
    await engine.generate(request(), () => {});
    const start = performance.now();
    kill(sandbox.engineFile().pid, "SIGKILL");
    while (engine.state.kind === "running") await new Promise((resolve) => setImmediate(resolve));
    await engine.generate(request(), () => {});
    times.push(performance.now() - start);
    await sandbox.end();
  }
  return [
    reported(
      "kill -9 to the next completion",
      median(times),
      "ms",
      `5 times: ${times.map((t) => t.toFixed(0)).join(", ")}`,
    ),
  ];
};

export const memory: Bench = async () => {
  const sandbox = engineSandbox();
  const engine = sandbox.client();
  const { model } = await engine.generate(request(), () => {});
  const { residentBytes } = await engine.diagnostics();
  await sandbox.end();
  const beyond = (residentBytes - model.fileBytes - model.kvBytes) / 1e6;
  const how = `resident ${(residentBytes / 1e6).toFixed(0)} MB, model ${(model.fileBytes / 1e6).toFixed(1)}, KV ${(model.kvBytes / 1e6).toFixed(1)}`;
  return [atMost("memory beyond model and KV cache", beyond, "MB", 150, how)];
};
