import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/common/errors.ts";
import { deriveStatus, type StatusInputs } from "../../../src/editor/status.ts";
import type { EngineState } from "../../../src/engine/engine.ts";
import type { ModelState } from "../../../src/protocol/engine.ts";
import { specKey } from "../../../src/protocol/model.ts";
import { qwen } from "./models.ts";

function running(...states: ModelState[]): EngineState {
  return { kind: "running", pid: 7, models: new Map(states.map((state) => [specKey(state.spec), state])) };
}

const ready: ModelState = { phase: "ready", spec: qwen.spec, model: qwen };
const tooLarge = { code: "model/too-large", details: {} } as const;
const killed = new AppError("engine/exited", "the engine process 7 was killed by SIGKILL");

const inputs: StatusInputs = {
  isEnabled: true,
  snoozedUntil: null,
  disabledLanguageId: null,
  documentSkip: null,
  engine: running(ready),
  model: qwen.spec,
  isGenerating: false,
  failure: null,
};

describe("deriveStatus", () => {
  it.each<[string, Partial<StatusInputs>, ReturnType<typeof deriveStatus>]>([
    ["ready when the model is", {}, { kind: "ready" }],
    ["generating when a request runs", { isGenerating: true }, { kind: "generating" }],
    ["starting when the process starts", { engine: { kind: "starting" } }, { kind: "starting" }],
    ["idle when there is no process", { engine: { kind: "stopped" } }, { kind: "idle" }],
    ["idle when only another model is loaded", { model: { ...qwen.spec, path: "/other.gguf" } }, { kind: "idle" }],
    [
      "ready whatever becomes of the same file in another mode",
      {
        engine: running(ready, {
          phase: "failed",
          spec: { ...qwen.spec, mode: "dense" },
          message: "",
          error: tooLarge,
        }),
      },
      { kind: "ready" },
    ],
    [
      "idle when the model was unloaded",
      { engine: running({ phase: "unloaded", spec: qwen.spec, reason: "idle" }) },
      { kind: "idle" },
    ],
    [
      "loading when the model is",
      {
        engine: running({ phase: "loading", spec: qwen.spec, fraction: 0.42, remainingMs: 12_000 }),
        isGenerating: true,
      },
      { kind: "loading", fraction: 0.42, remainingMs: 12_000 },
    ],
    [
      "an error when the process was lost",
      { engine: { kind: "failed", error: killed, retryInMs: 500 } },
      { kind: "error", error: killed, retryInMs: 500 },
    ],
    [
      "an error when the last completion failed",
      { failure: killed },
      { kind: "error", error: killed, retryInMs: null },
    ],
    [
      "off when it is off everywhere",
      { isEnabled: false, failure: killed },
      { kind: "off", reason: { kind: "everywhere" } },
    ],
    [
      "off when it is off for the language",
      { disabledLanguageId: "markdown" },
      { kind: "off", reason: { kind: "language", languageId: "markdown" } },
    ],
    [
      "off with its reason in a document that is never completed",
      { documentSkip: "the file may hold secrets" },
      { kind: "off", reason: { kind: "document", why: "the file may hold secrets" } },
    ],
    [
      "snoozed when it is snoozed and off for the language",
      { snoozedUntil: "restart", disabledLanguageId: "markdown" },
      { kind: "off", reason: { kind: "snoozed", until: "restart" } },
    ],
  ])("is %s", (_, change, status) => {
    expect(deriveStatus({ ...inputs, ...change })).toEqual(status);
  });
});
