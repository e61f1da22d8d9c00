import { describe, expect, it } from "vitest";
import { loadShown } from "../../../src/cli/loadShown.ts";
import { ProgressLine } from "../../../src/cli/progressLine.ts";
import type { EngineState } from "../../../src/engine/engine.ts";
import type { ModelState } from "../../../src/protocol/engine.ts";
import { type LoadedModel, type ModelSpec, specKey } from "../../../src/protocol/model.ts";

const spec = (path: string): ModelSpec => ({
  path,
  device: "auto",
  gpuLayers: -1,
  contextLength: 0,
  threads: 0,
  mode: "auto",
});

/** What a terminal is sent while an engine loads through these states. */
async function shownFor(states: readonly EngineState[], load: () => Promise<LoadedModel>): Promise<string> {
  let sent = "";
  const write = (text: string) => {
    sent += text;
    return true;
  };
  const line = new ProgressLine({ isTTY: true, columns: 80, write } as unknown as NodeJS.WriteStream);
  let tell = (_: EngineState) => {};
  const engine = {
    onDidChangeState: (listener: typeof tell) => {
      tell = listener;
      return { dispose: () => (tell = () => {}) };
    },
    load: () => {
      for (const state of states) tell(state);
      return load();
    },
  };
  await loadShown(engine, spec("/models/seven.gguf"), new AbortController().signal, line).catch(() => undefined);
  for (const state of states) tell(state);
  return sent.replaceAll("\r\u001b[K", "|");
}

const running = (...models: ModelState[]): EngineState => ({
  kind: "running",
  pid: 1,
  models: new Map(models.map((state) => [specKey(state.spec), state])),
});

const loading = (path: string, fraction: number, remainingMs: number | null): ModelState => ({
  phase: "loading",
  spec: spec(path),
  fraction,
  remainingMs,
});

describe("loadShown", () => {
  it("shows how far a load is and how long it still takes, and leaves nothing behind", async () => {
    const states = [
      { kind: "starting" } as const,
      running(loading("/models/seven.gguf", 0.019, null), loading("/models/other.gguf", 0.5, 90_000)),
      running(loading("/models/seven.gguf", 0.4, 12_000)),
    ];
    const text = "|Loading seven.gguf, 1 %|Loading seven.gguf, 40 %, 12 s left|";
    expect(await shownFor(states, async () => ({}) as LoadedModel)).toBe(text);
    expect(await shownFor(states, () => Promise.reject(new Error("too large")))).toBe(text);
  });
});
