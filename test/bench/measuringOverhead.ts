// What measuring costs: the same tokens generated for a completion, and for a benchmark that times each of them and writes
// them to its record, turn by turn.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { RecordWriter } from "../../src/benchmark/record/recordWriter.ts";
import type { GenerationRequest } from "../../src/benchmark/subject.ts";
import { EngineSubject } from "../../src/benchmark/subjects/engineSubject.ts";
import { environment } from "../support/benchmarkRun.ts";
import { engineSandbox, request, starter } from "../support/engineSandbox.ts";
import { atMost, type Bench, reported } from "./bench.ts";
import { median, quantile } from "./statistics.ts";

const pairs = 100;
const tokens = 200;
const prefix = "import os\n".repeat(20);
const rules = {
  maxTokens: tokens,
  maxLines: 0,
  stop: [],
  temperature: 0,
  topP: 1,
  seed: 1,
  ignoreEnd: true,
  timeLimitMs: 0,
};
const asked: GenerationRequest = { ...rules, prompt: { kind: "text", text: prefix } };

export const measuringOverhead: Bench = async () => {
  const sandbox = engineSandbox();
  const engine = sandbox.client();
  const folder = mkdtempSync(path.join(os.tmpdir(), "hp-"));
  const plan = { subjects: [], suites: [], completions: "ahead" } as const;
  const run = {
    type: "run",
    version: 1,
    runId: "bench",
    startedAt: new Date().toISOString(),
    plan,
    environment,
  } as const;
  const writer = await RecordWriter.create(path.join(folder, "run"), run);
  const definition = { kind: "model", id: "starter", label: "starter", spec: starter } as const;
  const subject = new EngineSubject({ definition, spec: starter, engine, hash: async () => "" });
  const { signal } = new AbortController();
  await subject.open(() => {}, signal);
  const plainTpot = async () => {
    const options = { ...rules, form: "text", prefix, suffix: "", priority: "background", freshCache: true } as const;
    const { stats } = await engine.generate(request({ ...options, timeTokens: false }), () => {});
    return 1000 / stats.decodeTokensPerSecond;
  };
  const measuredTpot = async () => {
    const { stats, tokenTimesMs } = await subject.generate(asked, signal);
    const message = tokenTimesMs.join(" ");
    await writer.append({ type: "warning", code: "sample", message, advice: "", subject: null, atMs: 0 });
    return 1000 / (stats?.decodeTokensPerSecond ?? Number.NaN);
  };
  const [plain, measured]: [number[], number[]] = [[], []];
  for (let pair = -3; pair < pairs; pair++) {
    const isPlainFirst = pair % 2 === 0;
    const first = await (isPlainFirst ? plainTpot : measuredTpot)();
    const second = await (isPlainFirst ? measuredTpot : plainTpot)();
    if (pair < 0) continue;
    plain.push(isPlainFirst ? first : second);
    measured.push(isPlainFirst ? second : first);
  }
  await subject.close();
  await writer.close();
  await sandbox.end();
  rmSync(folder, { recursive: true, force: true });
  // Whatever else runs makes a generation slower, never quicker: the quickest tenth is what both really take.
  const quick = (values: number[]) => quantile(values, 0.1);
  const share = 100 * (quick(measured) / quick(plain) - 1);
  const medians = `medians ${median(plain).toFixed(3)} and ${median(measured).toFixed(3)} ms`;
  const how = `${pairs} pairs of ${tokens} tokens, quickest tenth of each; ${medians}`;
  return [
    atMost("measuring, of the time per token", share, "%", 1, how),
    reported("time per token without measuring", quick(plain), "ms", "starter model, one thread"),
  ];
};
