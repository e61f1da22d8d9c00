// Our engine against llama.cpp driven directly: same file, same threads, same token ids, turn by turn in one process.
import { execFileSync } from "node:child_process";
import { atMost, type Bench, reported } from "./bench.ts";

/** Tokens per second, medians of alternating runs. */
interface Comparison {
  readonly engine: number;
  readonly direct: number;
  /** Engine over direct. */
  readonly ratio: number;
}

interface BenchOutput {
  readonly threads: number;
  readonly repeat: number;
  readonly prefill: Comparison;
  readonly decode: Comparison;
}

const shape = ["--threads", "1", "--prompt", "512", "--tokens", "128", "--repeat", "31"];

export const engineSpeed: Bench = async ({ benchProgram, starter }) => {
  const output: BenchOutput = JSON.parse(
    execFileSync(benchProgram, [starter, ...shape, "--json"], { encoding: "utf8" }),
  );
  const { prefill, decode, threads, repeat } = output;
  const how = `hotpath-bench ${shape.join(" ")}; ${repeat} runs each in turn, ${threads} thread`;
  const slower = ({ ratio }: Comparison) => (1 / ratio - 1) * 100;
  const beside = ({ direct }: Comparison) => `llama.cpp directly: ${direct.toFixed(0)} tok/s`;
  return [
    atMost("decode slower than llama.cpp", slower(decode), "%", 2, how),
    atMost("prefill slower than llama.cpp", slower(prefill), "%", 2, how),
    reported("decode", decode.engine, "tok/s", beside(decode)),
    reported("prefill", prefill.engine, "tok/s", beside(prefill)),
  ];
};
