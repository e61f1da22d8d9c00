// Our engine against llama.cpp driven directly: same file, same threads, same token ids, turn by turn in one process.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { atMost, type Bench, reported } from "./bench.ts";

interface BenchOutput {
  readonly threads: number;
  readonly repeats: number;
  readonly engine: { readonly prefillTokensPerSecond: number; readonly decodeTokensPerSecond: number };
  readonly direct: { readonly prefillTokensPerSecond: number; readonly decodeTokensPerSecond: number };
  /** Medians of engine time over direct time, pair by pair. */
  readonly prefillTimeRatio: number;
  readonly decodeTimeRatio: number;
}

const shape = ["--threads", "1", "--prompt", "512", "--tokens", "128", "--repeat", "25"];

export const engineSpeed: Bench = async ({ root, starter }) => {
  const program = path.join(root, "build", "native", "Release", "hotpath-bench");
  const output: BenchOutput = JSON.parse(execFileSync(program, [starter, ...shape, "--json"], { encoding: "utf8" }));
  const { engine, direct, threads, repeats } = output;
  const how = `hotpath-bench ${shape.join(" ")}; ${repeats} pairs, ${threads} thread`;
  const slower = (ratio: number) => (ratio - 1) * 100;
  return [
    atMost("decode slower than llama.cpp", slower(output.decodeTimeRatio), "%", 2, how),
    atMost("prefill slower than llama.cpp", slower(output.prefillTimeRatio), "%", 2, how),
    reported(
      "decode",
      engine.decodeTokensPerSecond,
      "tok/s",
      `llama.cpp directly: ${direct.decodeTokensPerSecond.toFixed(1)}`,
    ),
    reported(
      "prefill",
      engine.prefillTokensPerSecond,
      "tok/s",
      `llama.cpp directly: ${direct.prefillTokensPerSecond.toFixed(1)}`,
    ),
  ];
};
