import { describe, expect, it } from "vitest";
import { planOf } from "../../../../src/editor/benchmark/draftPlan.ts";
import { firstDraft } from "../../../../src/panel/draft.ts";
import type { RunDraft } from "../../../../src/panel/protocol.ts";
import type { SyntheticModel } from "../../../../src/protocol/model.ts";
import { madeUpChoices } from "../../../support/panelViews.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";

const spec = { device: "auto", gpuLayers: -1, contextLength: 0, threads: 0 } as const;
const small: SyntheticModel = {
  architecture: "llama",
  embeddingLength: 64,
  feedForwardLength: 256,
  vocabularySize: 1024,
  bytesByType: { q4_0: 1e6 },
  parameterCount: 1e6,
  layerCount: 8,
  bytes: 1e6,
  layersBytes: 8e5,
  kvBytesPerToken: 100,
};

function plan(change: Partial<RunDraft>, model = small) {
  const describe = async () => model;
  return planOf({ ...firstDraft(madeUpChoices), ...change }, { spec, describe, folder: temporaryFolder() });
}

describe("the plan of a draft", () => {
  it("has every model in every mode, with the settings of the editor", async () => {
    const { subjects } = await plan({ models: ["/m/coder.gguf"], modes: ["dense", "exact"] });
    expect(subjects).toEqual([
      {
        kind: "model",
        id: "coder-dense",
        label: "coder (dense)",
        spec: { ...spec, path: "/m/coder.gguf", mode: "dense" },
      },
      {
        kind: "model",
        id: "coder-exact",
        label: "coder (exact)",
        spec: { ...spec, path: "/m/coder.gguf", mode: "exact" },
      },
    ]);
  });

  it("tells files of one name apart", async () => {
    const { subjects } = await plan({ models: ["/a/coder.gguf", "/b/coder.gguf"] });
    expect(subjects.map(({ id }) => id)).toEqual(["coder-auto", "coder-auto-2"]);
  });

  it("limits the tasks of quality suites and repeats the rounds of speed suites", async () => {
    const { suites, completions } = await plan({ suites: ["latency", "humaneval"], limit: 12, rounds: 7 });
    expect(suites.map(({ id, limit, repetitions }) => [id, limit, repetitions])).toEqual([
      ["latency", null, 7],
      ["humaneval", 12, 1],
    ]);
    expect(completions).toBe("ahead");
  });

  it("measures a size whole where it fits, as the subjects of the command line", async () => {
    const { subjects } = await plan({ models: [], shapes: ["7b"], modes: ["dense"], suites: ["sizes"] });
    expect(subjects).toMatchObject([{ kind: "synthetic", shape: "7b", part: null }]);
  });

  it("refuses a size of which not even a part fits", async () => {
    const huge = { ...small, bytes: 1e18, layersBytes: 9e17 };
    await expect(plan({ models: [], shapes: ["70b"], suites: ["sizes"] }, huge)).rejects.toMatchObject({
      code: "model/too-large",
      message: "not even a few layers of 70b q4_0 fit on this machine",
    });
  });

  it.each([
    ["ftp://127.0.0.1", /is not the address of a server/],
    ["nonsense", /is not the address of a server/],
    ["http://user:secret@127.0.0.1:8080", /holds a name or a password/],
  ])("refuses the server %s", async (url, message) => {
    const refused = plan({ servers: [{ api: "openai", url, model: "" }] });
    await expect(refused).rejects.toMatchObject({ code: "request/invalid", message: expect.stringMatching(message) });
  });

  it("refuses to measure nothing", async () => {
    await expect(plan({ models: [] })).rejects.toMatchObject({ code: "request/invalid" });
  });
});
