// A benchmark run on subjects and suites that do what the test says, with its record in memory.

import type { Environment, RecordEntry, RunEntry, RunRecord } from "../../src/benchmark/record/entries.ts";
import type { RecordTarget } from "../../src/benchmark/run/journal.ts";
import type { RunPlan } from "../../src/benchmark/run/plan.ts";
import type { RunProgress } from "../../src/benchmark/run/progress.ts";
import { type RunDeps, type RunOutcome, runBenchmark } from "../../src/benchmark/run/runner.ts";
import { Steering } from "../../src/benchmark/run/steering.ts";
import type {
  Generation,
  GenerationRequest,
  Objection,
  Subject,
  SubjectDefinition,
  SubjectFacts,
} from "../../src/benchmark/subject.ts";
import type {
  DatasetInfo,
  GenerateTask,
  PreparedSuite,
  ReplayTask,
  SuiteChoice,
  SuiteId,
  SuiteInfo,
} from "../../src/benchmark/suite.ts";
import { cancelled, throwIfCancelled } from "../../src/common/cancellation.ts";
import { AppError, type ErrorCode } from "../../src/common/errors.ts";
import type { Isolation, Sandbox } from "../../src/sandbox/sandbox.ts";

export const environment: Environment = {
  productVersion: "1.0.0",
  nodeVersion: "20.17.0",
  os: "Linux 6.1",
  arch: "x64",
  cpu: "a processor",
  // No machine that runs the tests is so busy that a run on this one would warn of it.
  logicalCores: 4096,
  memoryBytes: 16e9,
  gpus: [],
  power: "ac",
  governor: "performance",
  llamaVersion: "v0.4.0",
  cpuVariant: "haswell",
  memoryBandwidth: 20e9,
};

export const facts: SubjectFacts = {
  method: "dense",
  parameterCount: 7e9,
  architecture: "llama",
  quantization: "Q4_K",
  fileBytes: 4e9,
  sha256: "0".repeat(64),
  mode: "dense",
  modeReason: "asked for",
  placement: "32 layers on CPU",
  fitsInVram: null,
  contextLength: 4096,
  threads: 1,
  loadMs: 100,
  residentBytes: 4e9,
  kvBytes: 1e8,
  hot: null,
  server: null,
};

export const request: GenerationRequest = {
  prompt: { kind: "text", text: "def f():" },
  maxTokens: 3,
  maxLines: 0,
  stop: [],
  temperature: 0,
  topP: 1,
  seed: 1,
  ignoreEnd: false,
  timeLimitMs: 0,
};

const generation: Generation = {
  text: "a b c",
  stopReason: "tokens",
  promptTokens: 4,
  generatedTokens: 3,
  ttftMs: 10,
  totalMs: 30,
  tokenTimesMs: [10, 20, 30],
  stats: null,
  overlaps: 0,
};

/** What a replay shows. */
export const typing = {
  keystrokes: 20,
  latenciesMs: [50, 60],
  shown: 2,
  answered: 15,
  cancelled: 1,
  overlaps: 0,
  sources: { engine: 2, none: 18 },
  savedCharacters: 5,
  typedCharacters: 20,
};

export function model(id: string): SubjectDefinition {
  const spec = {
    path: `/${id}.gguf`,
    device: "cpu",
    gpuLayers: -1,
    contextLength: 0,
    threads: 0,
    mode: "auto",
  } as const;
  return { kind: "model", id, label: `Model ${id}`, spec };
}

export function shape(id: string, name: string): SubjectDefinition {
  const spec = { device: "cpu", gpuLayers: -1, contextLength: 0, threads: 0, mode: "dense" } as const;
  return { kind: "synthetic", id, label: `Shape ${id}`, shape: name, options: {}, spec, part: null };
}

/** What a subject does otherwise than answer at once. */
export interface Behaviour {
  readonly openFails?: ErrorCode;
  readonly facts?: Partial<SubjectFacts>;
  readonly failsAt?: string;
  /** How it fails there; `server/failed` when not given. */
  readonly failure?: AppError;
  /** After so many times it answers; always when not given. */
  readonly failures?: number;
  readonly objection?: (request: GenerationRequest) => Objection | null;
  readonly generation?: Partial<Generation>;
}

export interface SuiteScript {
  readonly id: SuiteId;
  readonly kind: SuiteInfo["kind"];
  readonly tasks: readonly string[];
  readonly task?: Partial<GenerateTask>;
  readonly repetitions?: number;
  readonly runsCode?: boolean;
  readonly referencesPassing?: number;
  readonly prepareFails?: ErrorCode;
  readonly promptsSha256?: string;
  readonly dataset?: DatasetInfo;
}

export interface Script {
  readonly subjects: readonly SubjectDefinition[];
  readonly suites: readonly SuiteScript[];
  readonly behaviours?: Readonly<Record<string, Behaviour>>;
  /** Models that fit in memory together. */
  readonly room?: number;
  readonly isolation?: Isolation["level"];
  readonly consent?: "full" | "reduced" | null;
  readonly environment?: Partial<Environment>;
  /** Of the processor, while anything is generated. */
  readonly watts?: number;
}

const choice = ({ id, repetitions = 1 }: SuiteScript): SuiteChoice => ({
  id,
  limit: null,
  repetitions,
  temperature: 0,
  topP: 1,
  seed: 1,
});

export class ScriptedRun {
  readonly script: Script;
  readonly entries: RecordEntry[] = [];
  /** What happened, in order: "open A", "A t1", "score A t1", "close A", ... */
  readonly events: string[] = [];
  readonly progress: RunProgress[] = [];
  /** What was generated for, in order, warm-ups included. */
  readonly prompts: string[] = [];
  readonly control = new Steering();
  /** Called with each event, to interfere. */
  onEvent: (event: string) => void = () => {};
  readonly #open = new Set<string>();
  #nowMs = Date.parse("2026-01-01T00:00:00Z");

  constructor(script: Script) {
    this.script = script;
  }

  /** Goes on where a record ends, when one is given. */
  async start(previous: RunRecord | null = null): Promise<RunOutcome> {
    const sink = { append: async (entry: RecordEntry) => void this.entries.push(entry) };
    const create = async (run: RunEntry) => {
      this.entries.push(run);
      return sink;
    };
    const target: RecordTarget = previous ? { previous, sink } : { previous: null, runId: "run", create };
    return runBenchmark(this.plan, target, this.#deps(), this.control, (progress) => this.progress.push(progress));
  }

  get plan(): RunPlan {
    return { subjects: this.script.subjects, suites: this.script.suites.map(choice), completions: "ahead" };
  }

  /** As somebody, or the network's time, does with a machine's clock. */
  setClockBack(ms: number): void {
    this.#nowMs -= ms;
  }

  /** The record so far, or its first lines. */
  record(lines = this.entries.length): RunRecord {
    return { run: this.entries[0] as RunEntry, entries: this.entries.slice(0, lines), isTorn: false };
  }

  of<T extends RecordEntry["type"]>(type: T): Extract<RecordEntry, { type: T }>[] {
    return this.entries.filter((entry): entry is Extract<RecordEntry, { type: T }> => entry.type === type);
  }

  #deps(): RunDeps {
    const { consent = "full" } = this.script;
    return {
      environment: async () => ({ ...environment, ...this.script.environment }),
      prepareSuite: async ({ id }) => this.#suite(id),
      createSubject: (definition) => this.#subject(definition),
      sandbox: consent && { consent, create: async () => this.#sandbox() },
      replay: async ({ id }, subject) => {
        this.#happens(`${subject.id} types ${id}`, 100);
        return typing;
      },
      energy: this.script.watts ? { read: async () => ((this.script.watts ?? 0) * this.#nowMs) / 1000 } : null,
      clock: {
        now: () => this.#nowMs,
        wait: async (ms, signal) => {
          this.#happens(`wait ${ms}`, ms);
          throwIfCancelled(signal);
        },
      },
    };
  }

  #happens(event: string, ms = 0): void {
    this.#nowMs += ms;
    this.events.push(event);
    this.onEvent(event);
  }

  #subject(definition: SubjectDefinition): Subject {
    const { id } = definition;
    const {
      openFails,
      failsAt,
      objection,
      generation: given,
      failures = Infinity,
    } = this.script.behaviours?.[id] ?? {};
    const { failure = new AppError("server/failed", `${id} failed at ${failsAt}`) } =
      this.script.behaviours?.[id] ?? {};
    let failed = 0;
    const unload = async () => {
      if (this.#open.delete(id)) this.#happens(`unload ${id}`);
    };
    return {
      definition,
      unload,
      open: async () => {
        if (openFails) throw new AppError(openFails, `${id} cannot be opened`);
        if (this.#open.size >= (this.script.room ?? 9)) throw new AppError("model/too-large", `no room for ${id}`);
        this.#open.add(id);
        this.#happens(`open ${id}`);
        return { ...facts, ...this.script.behaviours?.[id]?.facts };
      },
      objection: (asked) => objection?.(asked) ?? null,
      generate: async (asked, signal) => {
        const { prompt } = asked;
        this.prompts.push(prompt.kind === "text" ? prompt.text : prompt.prefix);
        const text = (prompt.kind === "text" ? prompt.text : `fim ${prompt.prefix}`).replace("# Warm-up\n", "");
        this.#happens(`${id} ${text}`, 30);
        if (signal.aborted) throw cancelled();
        if (failsAt === text && failed++ < failures) throw failure;
        return { ...generation, ...given };
      },
      close: async () => {
        await unload();
        this.#happens(`close ${id}`);
      },
    };
  }

  #suite(id: SuiteId): PreparedSuite {
    const script = this.script.suites.find((suite) => suite.id === id);
    if (!script) throw new Error(`no suite ${id}`);
    if (script.prepareFails) throw new AppError(script.prepareFails, `${id} is not there`);
    const { kind, tasks, task, runsCode = false, referencesPassing, promptsSha256 = "same", dataset = null } = script;
    const traces = tasks.map((name): ReplayTask => ({ kind: "replay", id: name, cluster: name, trace: "" }));
    const named = tasks.map(
      (name): GenerateTask => ({
        kind: "generate",
        id: name,
        cluster: name,
        request: { ...request, prompt: { kind: "text", text: name } },
        ...task,
      }),
    );
    const score: PreparedSuite["score"] = async ({ id: name }, { text }) => {
      this.#happens(`score ${name}`, 5);
      return { isCorrect: text === "a b c", verdict: null, measures: {}, detail: null };
    };
    return {
      info: { id, title: `Suite ${id}`, kind, protocol: "test", dataset, taskCount: tasks.length, promptsSha256 },
      tasks: kind === "typing" ? traces : named,
      request: (asked) => asked.request,
      score: kind === "quality" ? score : null,
      runsCode,
      selfTest:
        referencesPassing === undefined
          ? null
          : async () => ({ total: 2, passed: referencesPassing, failed: ["r1", "r2"].slice(referencesPassing) }),
    };
  }

  #sandbox(): Sandbox {
    const level = this.script.isolation ?? "full";
    const layers = [{ name: "seccomp", isPresent: level === "full", detail: "tried" }];
    return {
      isolation: { place: "child", level, layers, interpreter: "none" },
      run: async () => ({ outcome: "passed", message: null, wallMs: 1 }),
      dispose: () => this.#happens("close sandbox"),
    };
  }
}

export async function finished(script: Script): Promise<ScriptedRun> {
  const run = new ScriptedRun(script);
  await run.start();
  return run;
}

/** What was measured, without when. */
export function results(entries: readonly RecordEntry[]): string[] {
  return entries
    .flatMap((entry) => {
      if (entry.type === "output" && !entry.isWarmUp)
        return [`${entry.suite} ${entry.subject} ${entry.task} ${entry.repetition}`];
      if (entry.type === "score") return [`score ${entry.suite} ${entry.subject} ${entry.task} ${entry.repetition}`];
      return [];
    })
    .sort();
}
