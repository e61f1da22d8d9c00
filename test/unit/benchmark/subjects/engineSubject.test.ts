import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { ModelSubject, SubjectDefinition, SyntheticSubject } from "../../../../src/benchmark/subject.ts";
import { EngineSubject } from "../../../../src/benchmark/subjects/engineSubject.ts";
import { fileSha256 } from "../../../../src/benchmark/subjects/fileHash.ts";
import { SyntheticFiles } from "../../../../src/benchmark/subjects/syntheticFiles.ts";
import { MeasuredShape } from "../../../../src/benchmark/subjects/syntheticSubject.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { type LoadedModel, type ModelSpec, specKey } from "../../../../src/protocol/model.ts";
import { model, request, shape } from "../../../support/benchmarkRun.ts";
import { engineStats } from "../../../support/scriptedEngine.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

const never = new AbortController().signal;
const ignore = () => {};

const memory = { weightBytes: 5e6, kvBytes: 1e6, computeBytes: 1e6, hotBytes: 0 };
const cpu = { name: "CPU", description: "a processor", kind: "cpu", layers: 4, memory } as const;
const loaded = {
  parameterCount: 5e6,
  architecture: "arcee",
  quantization: "Q8_0",
  fileBytes: 5e6,
  method: null,
  fim: { order: "spm2", source: "metadata" },
  layerCount: 4,
  contextLength: 1024,
  threads: 1,
  devices: [cpu],
  mode: "dense",
  modeReason: "asked for",
  hot: null,
  fallback: null,
  loadMs: 100,
  kvBytes: 1e6,
} as unknown as LoadedModel;

/** An engine that holds one model and remembers what it was asked. */
function engineWith(changes: Partial<LoadedModel> = {}, devices: { kind: string }[] = [{ kind: "cpu" }]) {
  const held = { ...loaded, ...changes };
  return {
    onDidChangeState: () => ({ dispose: ignore }),
    hold: vi.fn(async (_: ModelSpec) => held),
    release: vi.fn(async () => {}),
    diagnostics: async () => ({ devices }),
    describeSynthetic: vi.fn(async () => ({ bytes: 1000, parameterCount: 7e9 })),
    synthesize: vi.fn(async ({ path: file }: { path: string }) => writeFileSync(file, "weights")),
    generate: vi.fn(async (_: object, onText: (text: string) => void) => {
      onText("");
      onText("a b");
      return {
        text: "a b",
        stopReason: "tokens",
        stats: { ...engineStats, promptTokens: 4, generatedTokens: 2, tokenTimesMs: [10, 20] },
        model: held,
        overlaps: 1,
        queuedMs: 2,
      };
    }),
  };
}

function subjectOf(engine: ReturnType<typeof engineWith>, definition: SubjectDefinition = model("A")) {
  const spec = definition.kind === "model" ? definition.spec : { path: "", mode: "auto" };
  const hash = async () => "hash";
  return new EngineSubject({ definition, spec: spec as ModelSpec, engine: engine as unknown as Engine, hash });
}

describe("a model of the engine as a subject", () => {
  it("passes on how far its load is, and the time left", async () => {
    const definition = model("A") as ModelSubject;
    const loading = { phase: "loading", spec: definition.spec, fraction: 0.4, remainingMs: 12_000 } as const;
    const models = new Map([[specKey(definition.spec), loading]]);
    let tell = (_: object) => {};
    const engine = {
      ...engineWith(),
      onDidChangeState: (listener: typeof tell) => {
        tell = listener;
        return { dispose: ignore };
      },
      hold: async () => {
        tell({ kind: "starting" });
        tell({ kind: "running", pid: 1, models });
        return loaded;
      },
    };
    const onProgress = vi.fn();
    await subjectOf(engine as unknown as ReturnType<typeof engineWith>, definition).open(onProgress, never);
    expect(onProgress.mock.calls).toEqual([["loading", 0.4, 12_000]]);
  });

  it("is held while it is open, and tells what was found out", async () => {
    const engine = engineWith();
    const subject = subjectOf(engine);
    expect(await subject.open(ignore, never)).toEqual({
      method: "dense",
      parameterCount: 5e6,
      architecture: "arcee",
      quantization: "Q8_0",
      fileBytes: 5e6,
      sha256: "hash",
      mode: "dense",
      modeReason: "asked for",
      placement: "4 layers on CPU",
      fitsInVram: null,
      contextLength: 1024,
      threads: 1,
      loadMs: 100,
      residentBytes: 7e6,
      gpuMemory: [],
      kvBytes: 1e6,
      hot: null,
      server: null,
    });
    await subject.close();
    await subject.close();
    expect(engine.hold).toHaveBeenCalledTimes(1);
    expect(engine.release).toHaveBeenCalledTimes(1);
  });

  it("gives no answer when its file was changed since it was opened", async () => {
    const engine = engineWith();
    const hashes = ["first", "second"];
    const { spec } = model("A") as ModelSubject;
    const parts = { definition: model("A"), spec, engine: engine as unknown as Engine };
    const subject = new EngineSubject({ ...parts, hash: async () => hashes.shift() ?? "" });
    const measured = subject.open(ignore, never).then(() => subject.generate(request, never));
    await expect(measured).rejects.toMatchObject({
      code: "model/unloaded",
      message: "/A.gguf was changed since it was opened",
    });
    await subject.close();
    expect(engine.release).toHaveBeenCalledTimes(1);
  });

  it("tells what it takes of each GPU", async () => {
    const memory = { weightBytes: 2e9, kvBytes: 1e8, computeBytes: 5e7, hotBytes: 0 };
    const gpu = { name: "Vulkan0", description: "a card", kind: "gpu", layers: 3, memory } as const;
    const engine = engineWith({ devices: [gpu, ...loaded.devices] });
    expect((await subjectOf(engine).open(ignore, never)).gpuMemory).toEqual([{ device: "Vulkan0", ...memory }]);
  });

  it("does not know what it needs of main memory where the engine does not tell", async () => {
    const engine = engineWith({ devices: [{ ...cpu, memory: null }] });
    expect((await subjectOf(engine).open(ignore, never)).residentBytes).toBeNull();
  });

  it.each([
    [{ mode: "exact" }, "hot/cold"],
    [{ method: "GPTQ" }, "GPTQ"],
    [{ method: "SparseGPT" }, "SparseGPT"],
    [{ method: "GPTQ", mode: "exact" }, "hot/cold"],
    [{ method: "AWQ" }, "dense"],
  ] as const)("with %j belongs to the series %s", async (changes, method) => {
    expect(await subjectOf(engineWith(changes)).open(ignore, never)).toMatchObject({ method });
  });

  it.each([
    [4, true],
    [3, false],
  ])("with %i of 4 layers on a GPU fits: %s, and a fallback is told", async (layers, fitsInVram) => {
    const devices = [{ name: "CUDA0", description: "", kind: "gpu" as const, layers, memory: null }];
    const engine = engineWith({ devices, fallback: "no room for more" }, [{ kind: "cpu" }, { kind: "gpu" }]);
    expect(await subjectOf(engine).open(ignore, never)).toMatchObject({
      fitsInVram,
      placement: `${layers} layers on CUDA0; no room for more`,
    });
  });

  it("is asked in the background, without any cache, and timed to each token", async () => {
    const engine = engineWith();
    const subject = subjectOf(engine);
    await subject.open(ignore, never);
    const { ttftMs, totalMs, ...rest } = await subject.generate(request, never);
    expect(rest).toMatchObject({
      text: "a b",
      promptTokens: 4,
      generatedTokens: 2,
      tokenTimesMs: [12, 22],
      overlaps: 1,
    });
    expect(totalMs).toBeGreaterThanOrEqual(ttftMs);
    expect(engine.generate.mock.calls[0]?.[0]).toMatchObject({
      form: "text",
      prefix: "def f():",
      suffix: "",
      priority: "background",
      freshCache: true,
      timeTokens: true,
      ignoreEnd: false,
      maxPromptTokens: 0,
    });
  });

  it("counts waiting for somebody else's work as a disturbance", async () => {
    const engine = engineWith();
    const answer = await engine.generate({}, ignore);
    engine.generate.mockResolvedValue({ ...answer, overlaps: 0, queuedMs: 80 });
    const subject = subjectOf(engine);
    await subject.open(ignore, never);
    expect(await subject.generate(request, never)).toMatchObject({ overlaps: 1 });
  });

  it("refuses to fill in without tokens for it", async () => {
    const fim = { ...request, prompt: { kind: "fim", prefix: "a", suffix: "b" } } as const;
    const [able, unable] = [subjectOf(engineWith()), subjectOf(engineWith({ fim: null }))];
    await able.open(ignore, never);
    await unable.open(ignore, never);
    expect([able.objection(fim), unable.objection(fim)?.kind, unable.objection(request)]).toEqual([
      null,
      "refused",
      null,
    ]);
  });
});

describe("the hash of a model file", () => {
  const hash = (file: string, folder: string, onProgress = ignore) => fileSha256(file, folder, onProgress, never);

  it("is read once, until the file changes", async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, "model.gguf");
    writeFileSync(file, "weights");
    const onProgress = vi.fn();
    const first = await hash(file, folder, onProgress);
    expect(first).toBe(createHash("sha256").update("weights").digest("hex"));
    expect(onProgress).toHaveBeenLastCalledWith(1);
    expect(await hash(file, folder, onProgress)).toBe(first);
    expect(onProgress).toHaveBeenCalledTimes(1);
    writeFileSync(file, "WEIGHTS");
    utimesSync(file, 1, 1);
    expect(await hash(file, folder)).not.toBe(first);
  });

  it("is read once where the list cannot be written", async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, "model.gguf");
    writeFileSync(file, "weights");
    mkdirSync(path.join(folder, "hashes.json"));
    const onProgress = vi.fn();
    expect(await hash(file, folder, onProgress)).toBe(await hash(file, folder, onProgress));
    expect(onProgress).toHaveBeenCalledTimes(1);
  });

  it("survives a damaged list, and says what cannot be read", async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, "model.gguf");
    writeFileSync(file, "weights");
    writeFileSync(path.join(folder, "hashes.json"), "{");
    expect(await hash(file, folder)).toMatch(/^[0-9a-f]{64}$/);
    await expect(hash(path.join(folder, "gone"), folder)).rejects.toMatchObject({ code: "file/unreadable" });
  });
});

describe("a shape as a subject", () => {
  const seven = { ...shape("7b", "7b"), options: { arch: "llama", type: "q4_0" } } as SyntheticSubject;
  const files = (engine: ReturnType<typeof engineWith>, folder: string) =>
    new SyntheticFiles(engine as unknown as Engine, folder, "/vocabulary.gguf");
  const subject = (definition: SyntheticSubject, engine: ReturnType<typeof engineWith>, shared: SyntheticFiles) =>
    new MeasuredShape(definition, engine as unknown as Engine, shared);

  it("is written once for all modes, kept while it is unloaded, and deleted after the last", async () => {
    const [engine, folder] = [engineWith(), temporaryFolder()];
    const shared = files(engine, folder);
    const [dense, exact] = [subject(seven, engine, shared), subject({ ...seven, id: "other" }, engine, shared)];
    const facts = await dense.open(ignore, never);
    await exact.open(ignore, never);
    expect(engine.synthesize).toHaveBeenCalledTimes(1);
    expect(facts).toMatchObject({ parameterCount: 7e9, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const file = engine.hold.mock.calls[0]?.[0].path ?? "";
    await dense.unload();
    await dense.open(ignore, never);
    await dense.close();
    expect(existsSync(file)).toBe(true);
    await exact.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is written with the layers of its part, and tells the parameters of the whole", async () => {
    const engine = engineWith();
    const part = { group: "g", layers: 2, totalLayers: 32 };
    const some = subject({ ...seven, part }, engine, files(engine, temporaryFolder()));
    await some.open(ignore, never);
    expect(engine.synthesize.mock.calls[0]?.[0]).toMatchObject({
      vocabulary: "/vocabulary.gguf",
      options: { preset: "7b", arch: "llama", type: "q4_0", layers: "2" },
    });
    const recipe = { preset: "7b", arch: "llama", type: "q4_0" };
    expect(engine.describeSynthetic).toHaveBeenLastCalledWith(
      { vocabulary: "/vocabulary.gguf", options: recipe },
      never,
    );
    await some.close();
  });

  it("is not written to a disk without room, and leaves nothing", async () => {
    const [engine, folder] = [engineWith(), temporaryFolder()];
    engine.describeSynthetic.mockResolvedValue({ bytes: 1e18, parameterCount: 1 });
    const large = subject(seven, engine, files(engine, folder));
    await expect(large.open(ignore, never)).rejects.toMatchObject({
      code: "file/unwritable",
      message: expect.stringContaining("the synthetic model takes 1000000000.0 GB"),
    });
    await large.close();
    expect(engine.synthesize).not.toHaveBeenCalled();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("clears away what a killed run left, and nothing of a run that goes on", async () => {
    const [engine, folder] = [engineWith(), temporaryFolder()];
    // No process has an id beyond what Linux allows.
    for (const name of ["99999999", String(process.ppid), "notes"]) mkdirSync(path.join(folder, name));
    const one = subject(seven, engine, files(engine, folder));
    await one.open(ignore, never);
    await one.close();
    expect(readdirSync(folder).sort()).toEqual([String(process.ppid), "notes"]);
  });
});
