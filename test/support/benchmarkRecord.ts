// Benchmark records as a run writes them, with figures made up so that every part of a report has something to show.
import { createHash } from "node:crypto";
import type {
  Environment,
  OutputEntry,
  RecordEntry,
  RunEntry,
  RunRecord,
  ScoreEntry,
} from "../../src/benchmark/record/entries.ts";
import { requestSha256, sealEntry } from "../../src/benchmark/record/hashes.ts";
import { parseRecord } from "../../src/benchmark/record/parse.ts";
import type { RunPlan } from "../../src/benchmark/run/plan.ts";
import type { GenerationRequest, SubjectDefinition, SubjectFacts } from "../../src/benchmark/subject.ts";
import type { SuiteChoice, SuiteId, SuiteInfo } from "../../src/benchmark/suite.ts";
import type { ModelSpec } from "../../src/protocol/model.ts";

export const digest = (text: string) => createHash("sha256").update(text).digest("hex");

const spec: ModelSpec = {
  path: "/models/coder-7b.gguf",
  device: "auto",
  gpuLayers: -1,
  contextLength: 4096,
  threads: 0,
  mode: "dense",
};

const synthetic = (layers: number): SubjectDefinition => ({
  kind: "synthetic",
  id: `70b-${layers}`,
  label: `70b, ${layers} of 80 layers`,
  shape: "70b",
  options: { type: "q4_0", layers: String(layers) },
  spec: { device: "auto", gpuLayers: -1, contextLength: 2048, threads: 0, mode: "dense" },
  part: { group: "70b-q4_0", layers, totalLayers: 80 },
});

export const exampleSubjects: readonly SubjectDefinition[] = [
  { kind: "model", id: "coder-dense", label: "Coder 7B, dense", spec },
  { kind: "model", id: "coder-exact", label: "Coder 7B, exact", spec: { ...spec, mode: "exact" } },
  { kind: "server", id: "ollama", label: "Ollama", api: "ollama", url: "http://127.0.0.1:11434", model: "coder:7b" },
  synthetic(2),
  synthetic(6),
];

const choice = (id: SuiteId, repetitions: number): SuiteChoice => ({
  id,
  limit: null,
  repetitions,
  temperature: 0,
  topP: 1,
  seed: 1,
});

export const examplePlan: RunPlan = {
  subjects: exampleSubjects,
  suites: [choice("latency", 30), choice("starter", 1), choice("infill-single", 1), choice("keystrokes", 1)],
  completions: "ahead",
};

export const exampleEnvironment: Environment = {
  productVersion: "0.1.0",
  nodeVersion: "v20.20.2",
  os: "Linux 6.1.0",
  arch: "x64",
  cpu: "Some Processor",
  logicalCores: 16,
  memoryBytes: 64e9,
  gpus: [{ name: "Some GPU", memoryBytes: 24e9, driver: "570.1" }],
  power: "ac",
  governor: "performance",
  llamaVersion: "v0.4.0",
  cpuVariant: "haswell",
  memoryBandwidth: 40e9,
};

export const exampleRun: RunEntry = {
  type: "run",
  version: 1,
  runId: "20261122-203000-3fa9c1",
  startedAt: "2026-11-22T20:30:00.000Z",
  plan: examplePlan,
  environment: exampleEnvironment,
};

export const exampleFacts: SubjectFacts = {
  method: "dense",
  parameterCount: 7_000_000_000,
  architecture: "llama",
  quantization: "Q4_0",
  fileBytes: 4_000_000_000,
  sha256: digest("model"),
  mode: "dense",
  modeReason: "asked for",
  placement: "32 layers on CPU",
  fitsInVram: true,
  contextLength: 4096,
  threads: 8,
  loadMs: 1200,
  residentBytes: 4_300_000_000,
  kvBytes: 268_435_456,
  hot: null,
  server: null,
};

const memory = { weightBytes: 1e9, kvBytes: 1e8, computeBytes: 1e8, hotBytes: 0 };
const hot = { device: "CUDA0, own kernels", layers: 32, neurons: 90_000, vramBytes: 2e9, swaps: 12 };

const factsOf: Readonly<Record<string, SubjectFacts>> = {
  "coder-dense": exampleFacts,
  "coder-exact": {
    ...exampleFacts,
    method: "hot/cold",
    mode: "exact",
    gpuMemory: [{ device: "CUDA0", ...memory, hotBytes: hot.vramBytes }],
    hot,
  },
  ollama: {
    ...exampleFacts,
    method: "server",
    fileBytes: null,
    sha256: null,
    mode: null,
    modeReason: null,
    placement: null,
    residentBytes: null,
    gpuMemory: null,
    kvBytes: null,
    loadMs: null,
    threads: null,
    server: "ollama 0.9",
  },
  "70b-2": {
    ...exampleFacts,
    parameterCount: 70_000_000_000,
    fileBytes: 1_800_000_000,
    residentBytes: 2_000_000_000,
    kvBytes: memory.kvBytes,
    gpuMemory: [{ device: "CUDA0", ...memory }],
  },
  "70b-6": {
    ...exampleFacts,
    parameterCount: 70_000_000_000,
    fileBytes: 3_800_000_000,
    residentBytes: 4_000_000_000,
    kvBytes: 3e8,
    gpuMemory: [{ device: "CUDA0", ...memory, weightBytes: 3e9, kvBytes: 3e8 }],
  },
};

/** Milliseconds to the first and to every further token. */
const speedOf: Readonly<Record<string, readonly [number, number]>> = {
  "coder-dense": [400, 100],
  "coder-exact": [380, 50],
  ollama: [450, 110],
  "70b-2": [100, 30],
  "70b-6": [220, 70],
};

export const exampleSuites: readonly SuiteInfo[] = [
  {
    id: "latency",
    title: "Latency sweep",
    kind: "speed",
    protocol: "greedy, 100 tokens forced",
    dataset: null,
    taskCount: 2,
    promptsSha256: digest("latency"),
  },
  {
    id: "starter",
    title: "Starter set",
    kind: "quality",
    protocol: "HE-base-greedy",
    dataset: { name: "starter", sha256: digest("starter set"), rows: 40, source: "shipped" },
    taskCount: 40,
    promptsSha256: digest("starter"),
  },
  {
    id: "infill-single",
    title: "HumanEval infilling, single line",
    kind: "quality",
    protocol: "single-line, newline kept",
    dataset: { name: "infilling", sha256: digest("infilling"), rows: 1033, source: "local file" },
    taskCount: 12,
    promptsSha256: digest("infill"),
  },
  {
    id: "keystrokes",
    title: "Keystrokes, simulated typing",
    kind: "typing",
    protocol: "keystrokes-1 (simulated typing)",
    dataset: null,
    taskCount: 1,
    promptsSha256: digest("keystrokes"),
  },
];

export function exampleRequest(task: string): GenerationRequest {
  return {
    prompt: { kind: "text", text: `# ${task}` },
    maxTokens: 100,
    maxLines: 0,
    stop: [],
    temperature: 0,
    topP: 1,
    seed: 1,
    ignoreEnd: false,
    timeLimitMs: 0,
  };
}

export function exampleOutput(change: Partial<OutputEntry> = {}): OutputEntry {
  const text = change.text ?? null;
  return {
    type: "output",
    atMs: 0,
    suite: "latency",
    subject: "coder-dense",
    task: "prompt-64",
    repetition: 0,
    isWarmUp: false,
    requestSha256: requestSha256(exampleRequest(change.task ?? "prompt-64")),
    textSha256: digest(text ?? ""),
    stopReason: "tokens",
    promptTokens: 64,
    generatedTokens: 100,
    ttftMs: 400,
    totalMs: 10_300,
    tokenTimes: null,
    prefillTokensPerSecond: 160,
    decodeTokensPerSecond: 10,
    activeShare: null,
    bytesPerToken: null,
    joules: null,
    overlaps: 0,
    ...change,
    text,
  };
}

/** Small and repeatable: the same for the same step. */
const noise = (step: number) => (((step * 7919) % 101) - 50) / 1000;

function latencyOutputs(rounds: number): OutputEntry[] {
  const outputs: OutputEntry[] = [];
  for (let repetition = 0; repetition < rounds; repetition++)
    for (const task of ["prompt-64", "prompt-512"])
      for (const { id } of exampleSubjects) {
        const [ttft = 0, tpot = 0] = speedOf[id] ?? [];
        const first = ttft * (task === "prompt-64" ? 1 : 4) * (1 + noise(outputs.length));
        const times = Array.from({ length: 100 }, (_, token) => Math.round(10 * (first + token * tpot)));
        const isExact = id === "coder-exact";
        outputs.push(
          exampleOutput({
            subject: id,
            task,
            repetition,
            ttftMs: first,
            totalMs: (times.at(-1) ?? 0) / 10,
            tokenTimes: times,
            decodeTokensPerSecond: 1000 / tpot,
            activeShare: isExact ? 0.11 : null,
            bytesPerToken: isExact ? 1_500_000_000 : null,
            joules: id === "ollama" ? null : tpot * 4,
            overlaps: id === "coder-dense" && repetition === 1 ? 1 : 0,
          }),
        );
      }
  return outputs;
}

/** Texts that are worth these verdicts. */
export const answers = { passed: "return 1", failed: "return 2", timeout: "while True: pass" } as const;

/** The first subject solves three of four tasks, the second loses one of them and wins another. */
function quality(suite: "starter" | "infill-single", tasks: number): (OutputEntry | ScoreEntry)[] {
  return exampleSubjects.slice(0, 2).flatMap(({ id: subject }, index) =>
    Array.from({ length: tasks }, (_, task): [OutputEntry, ScoreEntry] => {
      const isCorrect = index === 1 && task < 2 ? task === 0 : task % 4 !== 0;
      const id = `${suite}/${task}`;
      const verdict = isCorrect ? ("passed" as const) : task === 4 ? ("timeout" as const) : ("failed" as const);
      const output = exampleOutput({
        suite,
        subject,
        task: id,
        text: `${answers[verdict]} # ${id}`,
        stopReason: task === 4 ? "tokens" : "stop",
        generatedTokens: 12,
        totalMs: 1500,
      });
      const score = { isCorrect, verdict, measures: { "exact-match": task % 2 === 1 }, detail: null };
      const cluster = suite === "infill-single" ? `HumanEval/${Math.floor(task / 3)}` : id;
      return [output, { type: "score", atMs: 0, suite, subject, task: id, cluster, repetition: 0, score }];
    }).flat(),
  );
}

function planOf(rounds: number): RunPlan {
  const suites = examplePlan.suites.map((suite) =>
    suite.id === "latency" ? { ...suite, repetitions: rounds } : suite,
  );
  return { ...examplePlan, suites };
}

/** Every type of entry, in an order a run may write them. `rounds` of the latency sweep give ten outputs each. */
export function exampleEntries(rounds = 30): RecordEntry[] {
  const sources = { typed: 9, cache: 4, inFlight: 3, engine: 10, none: 2 };
  const entries: RecordEntry[] = [
    { ...exampleRun, plan: planOf(rounds) },
    ...exampleSubjects.map(
      ({ id }): RecordEntry => ({ type: "subject", atMs: 0, subject: id, facts: factsOf[id] ?? exampleFacts }),
    ),
    ...exampleSuites.map((info): RecordEntry => ({ type: "suite", atMs: 0, info })),
    {
      type: "isolation",
      atMs: 0,
      isolation: {
        place: "child",
        level: "full",
        layers: [{ name: "seccomp", isPresent: true, detail: "socket: EPERM" }],
        interpreter: "Pyodide 314.0.7, CPython 3.14.2",
      },
      consent: "full",
    },
    { type: "selfTest", atMs: 0, suite: "starter", result: { total: 40, passed: 40, failed: [] } },
    { type: "selfTest", atMs: 0, suite: "infill-single", result: { total: 12, passed: 12, failed: [] } },
    exampleOutput({ isWarmUp: true, ttftMs: 9000, totalMs: 90_000 }),
    ...latencyOutputs(rounds),
    { type: "resume", atMs: 0, resumedAt: "2026-11-22T21:00:00.000Z", environment: exampleEnvironment },
    {
      type: "warning",
      atMs: 0,
      code: "overlap",
      message: "1 generation ran beside completions.",
      advice: "Pause completions.",
      subject: "coder-dense",
    },
    {
      type: "failure",
      atMs: 0,
      subject: "ollama",
      suite: "starter",
      code: "server/failed",
      message: "The server answered 500.",
    },
    {
      type: "warning",
      atMs: 0,
      code: "refused",
      message: "It is left out of infill-single: it cannot fill in.",
      advice: "Compare it in the other suites.",
      subject: "ollama",
    },
    ...quality("starter", 40),
    ...quality("infill-single", 12),
    ...["coder-dense", "coder-exact"].map(
      (subject): RecordEntry => ({
        type: "typing",
        atMs: 0,
        suite: "keystrokes",
        subject,
        task: "queue.py",
        repetition: 0,
        keystrokes: 28,
        latenciesMs: [0, 1, 120, 140, 160, 180, 200, 220],
        shown: 26,
        answered: 27,
        cancelled: 5,
        overlaps: 1,
        sources,
        savedCharacters: 30,
        typedCharacters: 90,
      }),
    ),
    { type: "end", atMs: 0, status: "complete", left: { failures: 1, unscored: 0 } },
  ];
  return entries.map((entry, index) => (entry.type === "run" ? entry : { ...entry, atMs: 100 * index }));
}

/** The text of record.jsonl. */
export function recordText(entries: readonly RecordEntry[]): string {
  let before = "";
  return entries
    .map((entry) => {
      const { line, chain } = sealEntry(entry, before);
      before = chain;
      return `${line}\n`;
    })
    .join("");
}

export function exampleRecord(rounds?: number): RunRecord {
  return parseRecord(recordText(exampleEntries(rounds)));
}
