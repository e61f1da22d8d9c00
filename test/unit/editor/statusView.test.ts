import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/common/errors.ts";
import type { LatencySummary } from "../../../src/completion/latency.ts";
import type { Status } from "../../../src/editor/status.ts";
import { renderStatus, type StatusFacts } from "../../../src/editor/statusView.ts";
import type { Sparsity } from "../../../src/protocol/model.ts";
import { qwen } from "./models.ts";

const unmeasured: LatencySummary = {
  count: 0,
  totalP50Ms: null,
  totalP95Ms: null,
  ttftP50Ms: null,
  ttftP95Ms: null,
  prefillTokensPerSecond: null,
  decodeTokensPerSecond: null,
  reuse: null,
  sparsity: null,
};
const measured: LatencySummary = {
  count: 9,
  totalP50Ms: 140,
  totalP95Ms: 1900,
  ttftP50Ms: 62.4,
  ttftP95Ms: 1240,
  prefillTokensPerSecond: 812.3,
  decodeTokensPerSecond: 41.6,
  reuse: 0.913,
  sparsity: null,
};
const sparsity: Sparsity = { activeShare: 0.114, hotShare: 0.42, bytesPerToken: 237.4e6, denseBytesPerToken: 1.55e9 };
const facts: StatusFacts = {
  model: qwen,
  isStarter: false,
  modelFile: "qwen.gguf",
  speed: measured,
  lastEngineEnd: null,
  benchmark: null,
};
const links =
  "[Choose Model](command:hotpath.chooseModel) · [Last Completions](command:hotpath.showLastCompletions) · [Log](command:hotpath.showLog)";
const afternoon = new Date(2026, 0, 15, 14, 5).getTime();
const error: Status = {
  kind: "error",
  error: new AppError("engine/exited", "the engine process 7 was killed by SIGKILL"),
  retryInMs: 1500,
};

function row(status: Status, change: Partial<StatusFacts> = {}) {
  const { text, accessibilityLabel, background } = renderStatus(status, { ...facts, ...change }, "full");
  return [text, accessibilityLabel, background];
}

describe("renderStatus", () => {
  it.each<[Status, Partial<StatusFacts>, string, string]>([
    [{ kind: "starting" }, {}, "$(loading~spin) Hotpath starting", "Hotpath: starting the engine"],
    [
      { kind: "loading", fraction: 0.42, remainingMs: 11_600 },
      {},
      "$(loading~spin) Hotpath loading 42 %, about 12 s left",
      "Hotpath: loading the model, 42 %, about 12 s left",
    ],
    [
      { kind: "loading", fraction: 0.999, remainingMs: null },
      {},
      "$(loading~spin) Hotpath loading 99 %",
      "Hotpath: loading the model, 99 %",
    ],
    [{ kind: "ready" }, {}, "$(flame) Hotpath 42 tok/s", "Hotpath: ready, 42 tokens per second"],
    [
      { kind: "ready" },
      { speed: { ...measured, sparsity } },
      "$(flame) Hotpath 42 tok/s · 11 % active",
      "Hotpath: ready, 42 tokens per second",
    ],
    [{ kind: "ready" }, { speed: unmeasured }, "$(flame) Hotpath", "Hotpath: ready"],
    [{ kind: "generating" }, {}, "$(sync~spin) Hotpath 42 tok/s", "Hotpath: writing a completion"],
    [{ kind: "idle" }, {}, "$(flame) Hotpath", "Hotpath: ready; the model loads with the next completion"],
    [{ kind: "off", reason: { kind: "everywhere" } }, {}, "$(circle-slash) Hotpath off", "Hotpath: off"],
    [
      { kind: "off", reason: { kind: "language", languageId: "markdown" } },
      {},
      "$(circle-slash) Hotpath off",
      "Hotpath: off for markdown",
    ],
    [
      { kind: "off", reason: { kind: "document", why: "the file may hold secrets" } },
      {},
      "$(circle-slash) Hotpath off",
      "Hotpath: off here: the file may hold secrets",
    ],
    [
      { kind: "off", reason: { kind: "snoozed", until: afternoon } },
      {},
      "$(bell-slash) Hotpath off until 14:05",
      "Hotpath: snoozed until 14:05",
    ],
    [
      { kind: "off", reason: { kind: "snoozed", until: "restart" } },
      {},
      "$(bell-slash) Hotpath off until restart",
      "Hotpath: snoozed until restart",
    ],
  ])("shows %j with %j", (status, change, text, label) => {
    expect(row(status, change)).toEqual([text, label, null]);
  });

  it("shows the reason, what to do and the next try when something failed", () => {
    const label =
      "Hotpath: the engine process 7 was killed by SIGKILL. It starts again by itself. If this repeats, choose a smaller model or set hotpath.device to cpu. Trying again in 2 s.";
    expect(row(error)).toEqual(["$(error) Hotpath engine exited", label, "error"]);
  });

  it("leaves the name away when the status bar is short", () => {
    const texts = [{ kind: "ready" } as const, error].map((status) => renderStatus(status, facts, "short").text);
    expect(texts).toEqual(["$(flame) 42 tok/s", "$(error) engine exited"]);
  });

  it("lists model, devices, mode and measurements in the hover", () => {
    expect(renderStatus({ kind: "ready" }, facts, "full").tooltipMarkdown).toBe(
      [
        "**Hotpath** ready, 42 tokens per second",
        [
          "Model: Qwen2\\.5 Coder 1\\.5B, Q8\\_0, 4096 tokens of context for 4 files",
          "File: qwen\\.gguf",
          "Devices: Vulkan0 \\(NVIDIA GeForce RTX 4090\\) 20 of 28 layers, 1\\.3 GB; CPU \\(AMD Ryzen 9 7950X\\) 8 of 28 layers, 573\\.6 MB",
          "Mode: dense, SiLU neurons are never silent\\.",
        ].join("  \n"),
        ["First text: p50 62 ms, p95 1.2 s", "Decode: 42 tok/s", "Prefill: 812 tok/s", "Prompt reused: 91 %"].join(
          "  \n",
        ),
        links,
      ].join("\n\n"),
    );
  });

  it("lists a device that runs no layer with the memory it gives", () => {
    const devices = qwen.devices.map((device) => ({ ...device, layers: device.kind === "gpu" ? 28 : 0 }));
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, { ...facts, model: { ...qwen, devices } }, "full");
    expect(tooltipMarkdown).toContain("4090\\) 28 of 28 layers, 1\\.3 GB; CPU \\(AMD Ryzen 9 7950X\\) 573\\.6 MB");
  });

  it("says in the hover which neurons were computed where, and what that saved", () => {
    const exact: StatusFacts = { ...facts, speed: { ...measured, sparsity } };
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, exact, "full");
    expect(tooltipMarkdown).toContain("Active neurons: 11 %, of these on the GPU: 42 %");
    expect(tooltipMarkdown).toContain("Read: 237.4 MB of weights per token, 1.6 GB if dense");
  });

  it("says what a token reads where no neuron is left out", () => {
    const everything: Sparsity = { activeShare: 1, hotShare: 0, bytesPerToken: 1.55e9, denseBytesPerToken: 1.55e9 };
    const plain: StatusFacts = { ...facts, speed: { ...measured, sparsity: everything } };
    const { text, tooltipMarkdown } = renderStatus({ kind: "ready" }, plain, "full");
    expect(text).toBe("$(flame) Hotpath 42 tok/s");
    expect(tooltipMarkdown).toContain("Neurons: every one is computed");
    expect(tooltipMarkdown).toMatch(/Read: 1\.6 GB of weights per token$/m);
  });

  it("says in the hover which neurons a device has", () => {
    const hot = { device: "Vulkan0, ggml", layers: 24, neurons: 51_200, vramBytes: 1.2e9, swaps: 0 };
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, { ...facts, model: { ...qwen, hot } }, "full");
    expect(tooltipMarkdown).toContain("Hot neurons: 51200 of 24 layers on Vulkan0, ggml, 1\\.2 GB");
  });

  it("says in the hover why what was learnt is not used", () => {
    const model = { ...qwen, profileNotice: "coder.profile: the profile is of another model" };
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, { ...facts, model }, "full");
    expect(tooltipMarkdown).toContain("$(warning) coder\\.profile: the profile is of another model\\.");
  });

  it("says in the hover why a model does not run where it was asked to", () => {
    const model = { ...qwen, fallback: "Vulkan0 has 2.1 GB free, the model needs 3.4 GB" };
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, { ...facts, model }, "full");
    expect(tooltipMarkdown).toContain("$(warning) Vulkan0 has 2\\.1 GB free, the model needs 3\\.4 GB\\.");
  });

  it("says in the hover why prepared weights are not used", () => {
    const model = { ...qwen, sidecarNotice: "coder.gguf.hotpath: was made for another model file" };
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, { ...facts, model }, "full");
    expect(tooltipMarkdown).toContain("$(warning) coder\\.gguf\\.hotpath: was made for another model file\\.");
  });

  it("keeps the last end of the engine in the hover when it runs again", () => {
    const lastEngineEnd = { atMs: afternoon, message: "killed by SIGKILL" };
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, { ...facts, lastEngineEnd }, "full");
    expect(tooltipMarkdown).toContain("Engine ended at 14:05: killed by SIGKILL\\.");
  });

  it("says what the starter model is", () => {
    const change = { model: null, isStarter: true, speed: unmeasured };
    const { tooltipMarkdown } = renderStatus({ kind: "idle" }, { ...facts, ...change }, "full");
    expect(tooltipMarkdown).toContain(
      "Starter model: tiny demo model, one line at most; choose a 0.5B–7B code model for real work.",
    );
  });

  it("shows a name as text when a model is called like a command link or an icon", () => {
    const model = { ...qwen, name: "[free GPU](command:workbench.action.quit) $(flame)\n# big" };
    const { tooltipMarkdown } = renderStatus({ kind: "ready" }, { ...facts, model }, "full");
    expect(tooltipMarkdown).toContain(
      "Model: \\[free GPU\\]\\(command:workbench\\.action\\.quit\\) \\$\\(flame\\) \\# big, Q8",
    );
  });

  it("shows how far a benchmark is, beside everything else", () => {
    const benchmark = { fraction: 0.345, what: "HumanEval/12 on qwen (exact)", isPaused: false };
    const { text, accessibilityLabel, tooltipMarkdown } = renderStatus(
      { kind: "ready" },
      { ...facts, benchmark },
      "full",
    );
    expect(text).toBe("$(flame) Hotpath 42 tok/s $(beaker) 34 %");
    expect(accessibilityLabel).toBe("Hotpath: ready, 42 tokens per second; a benchmark is running, 34 %");
    expect(tooltipMarkdown).toContain("Benchmark running, 34 %: HumanEval/12 on qwen \\(exact\\)\\.");
    expect(tooltipMarkdown).toContain("[Show it](command:hotpath.openBenchmarkResults)");
  });

  it("says that a benchmark is paused, and that completions wait for one", () => {
    const benchmark = { fraction: 0.5, what: "HumanEval/12", isPaused: true };
    const status: Status = { kind: "off", reason: { kind: "snoozed", until: "benchmark" } };
    expect(row(status, { benchmark })).toEqual([
      "$(bell-slash) Hotpath paused $(beaker) 50 % paused",
      "Hotpath: paused until the benchmark has ended; a benchmark is paused at 50 %",
      null,
    ]);
  });
});
