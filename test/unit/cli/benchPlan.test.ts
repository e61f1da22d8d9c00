import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkResume, datasetFilesOf, parseServer, readPlan } from "../../../src/cli/benchPlan.ts";
import { UsageError } from "../../../src/cli/command.ts";
import { starterModelPath } from "../../../src/models/starterModel.ts";
import { root } from "../../support/sources.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

const small = { bytes: 1e6, layersBytes: 5e5, layerCount: 4, kvBytesPerToken: 0 };
const sources = () => ({
  productFolder: root,
  folder: temporaryFolder(),
  describe: async ({ preset }: Readonly<Record<string, string>>) =>
    ({ ...small, bytes: preset === "70b" ? 1e18 : small.bytes }) as never,
});
const plan = async (options: Parameters<typeof readPlan>[0]) => (await readPlan(options, sources())).plan;
const starter = starterModelPath(root);
const greedy = { limit: null, temperature: 0, topP: 1, seed: 1 };

describe("the plan of hotpath bench", () => {
  it("is the starter model's latency when nothing is said", async () => {
    expect(await plan({})).toEqual({
      subjects: [
        {
          kind: "model",
          id: "starter-nano-q8-0-auto",
          label: "starter-nano-q8_0 (auto)",
          spec: { path: starter, device: "auto", gpuLayers: -1, contextLength: 0, threads: 0, mode: "auto" },
        },
      ],
      suites: [{ ...greedy, id: "latency", repetitions: 10 }],
      completions: "ahead",
    });
  });

  it("adds the starter set where code may run", async () => {
    expect((await plan({ "allow-code": true })).suites.map(({ id, repetitions }) => [id, repetitions])).toEqual([
      ["latency", 10],
      ["starter", 1],
    ]);
  });

  it("puts every model in every mode, servers and shapes side by side", async () => {
    const asked = {
      model: [starter],
      mode: ["dense,exact"],
      server: ["http://localhost:11434#ollama=coder:1.5b"],
      shapes: ["7b"],
    };
    const { subjects, suites } = await plan(asked);
    expect(subjects.map(({ id }) => id)).toEqual([
      "starter-nano-q8-0-dense",
      "starter-nano-q8-0-exact",
      "ollama-coder-1.5b",
      "7b-q4-0-dense",
      "7b-q4-0-exact",
    ]);
    expect(suites.map(({ id }) => id)).toEqual(["latency", "sizes"]);
  });

  it("takes the starter model only where nothing else is named", async () => {
    expect((await plan({ server: ["http://localhost:1"] })).subjects.map(({ kind }) => kind)).toEqual(["server"]);
    expect((await plan({ shapes: ["tiny"] })).subjects.every(({ kind }) => kind === "synthetic")).toBe(true);
  });

  it("tells files of one name apart", async () => {
    const { subjects } = await plan({ model: [starter, starter] });
    expect(subjects.map(({ id }) => id)).toEqual(["starter-nano-q8-0-auto", "starter-nano-q8-0-auto-2"]);
  });

  it("samples quality suites when a temperature is given, and times the others as ever", async () => {
    const asked = { suite: ["latency,humaneval"], temperature: "0.2", "top-p": "0.95", repetitions: "20", limit: "8" };
    expect((await plan(asked)).suites).toEqual([
      { id: "latency", limit: 8, repetitions: 20, temperature: 0, topP: 1, seed: 1 },
      { id: "humaneval", limit: 8, repetitions: 20, temperature: 0.2, topP: 0.95, seed: 1 },
    ]);
    expect((await plan({ suite: ["latency,humaneval"], repetitions: "20" })).suites[1]).toMatchObject({
      repetitions: 1,
    });
  });

  it("does nothing twice", async () => {
    const { subjects, suites } = await plan({ mode: ["dense", "dense"], suite: ["latency,latency"] });
    expect([subjects.length, suites.length]).toEqual([1, 1]);
  });

  it("says which shapes do not fit, and fails when nothing is left", async () => {
    const { plan: rest, notes } = await readPlan({ shapes: ["7b,70b"], mode: ["dense"] }, sources());
    expect(rest.subjects.map(({ id }) => id)).toEqual(["7b-q4-0-dense"]);
    expect(notes).toEqual(["70b q4_0 is left out: not even a few of its layers fit on this machine."]);
    await expect(plan({ shapes: ["70b"] })).rejects.toMatchObject({ code: "model/too-large" });
  });

  it.each([
    [{ suite: ["speed"] }, '--suite names "speed"'],
    [{ mode: ["fast"] }, '--mode names "fast"'],
    [{ device: "gpu" }, '--device is "gpu"'],
    [{ limit: "0" }, '--limit is "0"'],
    [{ repetitions: "1.5" }, '--repetitions is "1.5"'],
    [{ suite: ["humaneval"], repetitions: "20" }, "--repetitions is for speed suites"],
    [{ threads: "many" }, '--threads is "many"'],
    [{ temperature: "3" }, '--temperature is "3"'],
    [{ active: "0", shapes: ["7b"] }, "--active is 0"],
    [{ server: ["localhost:8080"] }, '--server is "localhost:8080"'],
  ])("refuses %j", async (options, message) => {
    await expect(plan(options)).rejects.toThrow(message);
    await expect(plan(options)).rejects.toBeInstanceOf(UsageError);
  });

  it("does not begin with suites that are not for what is to be measured", async () => {
    await expect(plan({ shapes: ["7b"], suite: ["latency"] })).rejects.toMatchObject({
      code: "request/invalid",
      message: expect.stringContaining("nothing would be measured by latency on 7B Q4_0 dense, 7B Q4_0 exact"),
    });
  });

  it("does not begin with a model that is not there", async () => {
    await expect(plan({ model: ["nowhere.gguf"] })).rejects.toMatchObject({ code: "model/not-found" });
  });
});

describe("--resume", () => {
  it("goes on with the plan of its run, and takes nothing else", () => {
    checkResume({ resume: "x", out: "y", json: true, dataset: ["humaneval=x"], fetch: true, "allow-code": true });
    const options = { resume: "x", model: ["a.gguf"], limit: "3" };
    expect(() => checkResume(options)).toThrow(UsageError);
    expect(() => checkResume(options)).toThrow("leave --model, --limit out");
  });
});

describe("--server", () => {
  it.each([
    ["http://127.0.0.1:8000", "openai", "http://127.0.0.1:8000", null],
    ["http://127.0.0.1:8000/v1=coder", "openai", "http://127.0.0.1:8000/v1", "coder"],
    ["http://127.0.0.1:11434=a/b:1.5b", "ollama", "http://127.0.0.1:11434", "a/b:1.5b"],
    ["https://box:8080#llama-server", "llama-server", "https://box:8080", null],
    ["http://box:11434#openai=x=y", "openai", "http://box:11434", "x=y"],
  ])("reads %s", (text, api, url, model) => {
    expect(parseServer(text)).toMatchObject({ api, url, model, id: expect.stringMatching(/^[A-Za-z0-9.-]+$/) });
  });

  it.each(["ftp://x", "http://", "http://x#grpc", "http://user:secret@x", "http://:secret@x", "http://x?key=secret"])(
    "refuses %s",
    (text) => {
      expect(() => parseServer(text)).toThrow(UsageError);
    },
  );
});

describe("--dataset", () => {
  it("names files of known data sets", () => {
    expect(datasetFilesOf({ dataset: ["humaneval=a=b.jsonl"] })).toEqual({ humaneval: path.resolve("a=b.jsonl") });
    expect(() => datasetFilesOf({ dataset: ["humaneval"] })).toThrow(UsageError);
    expect(() => datasetFilesOf({ dataset: ["mbpp=x"] })).toThrow("mbpp");
  });
});
