// What the status bar shows for a status: pure, so that every state can be read in a test.
import { sentence } from "../common/errors.ts";
import { formatDuration } from "../common/formatDuration.ts";
import type { LatencySummary } from "../completion/latency.ts";
import { describeContext } from "../models/contextText.ts";
import { starterDescription } from "../models/starterModel.ts";
import { type DeviceShare, type HotNeurons, type LoadedModel, type Sparsity, totalBytes } from "../protocol/model.ts";
import { commandIds } from "./ids.ts";
import { commandLink, escapeMarkdown } from "./markdown.ts";
import { advice } from "./notifications.ts";
import { clockTime, formatBytes, formatMs, formatPercent, formatSpeed } from "./phrases.ts";
import type { OffReason, Status } from "./status.ts";

export interface StatusFacts {
  readonly model: LoadedModel | null;
  readonly isStarter: boolean;
  /** Name of the chosen file; two files may call their models the same. */
  readonly modelFile: string;
  /** Of the last completions of this window. */
  readonly speed: LatencySummary;
  /** How the engine process ended last, although it may run again. */
  readonly lastEngineEnd: { readonly atMs: number; readonly message: string } | null;
  /** The one under way, in this window; null: none. */
  readonly benchmark: BenchmarkFacts | null;
}

export interface BenchmarkFacts {
  /** 0 to 1. */
  readonly fraction: number;
  /** What it does, or what it waits for. */
  readonly what: string;
  readonly isPaused: boolean;
}

export interface StatusView {
  readonly text: string;
  /** Trusted for our own commands; everything from outside is escaped. */
  readonly tooltipMarkdown: string;
  readonly accessibilityLabel: string;
  readonly background: "error" | null;
}

export function renderStatus(status: Status, facts: StatusFacts, detail: "full" | "short"): StatusView {
  const face = describe(status, facts);
  const name = detail === "full" ? " Hotpath" : "";
  const benchmark = facts.benchmark && describeBenchmark(facts.benchmark);
  const text = `$(${face.icon})${name}${face.short ? ` ${face.short}` : ""}${benchmark ? ` ${benchmark.short}` : ""}`;
  return {
    text,
    tooltipMarkdown: tooltip(face, facts),
    accessibilityLabel: `Hotpath: ${face.spoken}${benchmark ? `; ${benchmark.spoken}` : ""}`,
    background: status.kind === "error" ? "error" : null,
  };
}

interface Face {
  readonly icon: string;
  /** Next to the icon; empty where the icon says enough. */
  readonly short: string;
  /** A phrase that reads well aloud. */
  readonly spoken: string;
}

function describe(status: Status, facts: StatusFacts): Face {
  switch (status.kind) {
    case "off":
      return describeOff(status.reason);
    case "error":
      return describeError(status);
    case "starting":
      return { icon: "loading~spin", short: "starting", spoken: "starting the engine" };
    case "loading": {
      const { fraction, remainingMs } = status;
      const left = remainingMs === null ? "" : `, about ${formatDuration(remainingMs)} left`;
      const howFar = `${formatPercent(fraction)}${left}`;
      return { icon: "loading~spin", short: `loading ${howFar}`, spoken: `loading the model, ${howFar}` };
    }
    case "generating":
      return { icon: "sync~spin", short: shortSpeed(facts), spoken: "writing a completion" };
    case "ready":
      return { icon: "flame", short: shortSpeed(facts), spoken: spokenReady(facts) };
    case "idle":
      return { icon: "flame", short: "", spoken: "ready; the model loads with the next completion" };
  }
}

function describeBenchmark({ fraction, isPaused }: BenchmarkFacts) {
  const percent = formatPercent(fraction);
  return {
    short: `$(beaker) ${percent}${isPaused ? " paused" : ""}`,
    spoken: `a benchmark is ${isPaused ? "paused at" : "running,"} ${percent}`,
  };
}

function describeOff(reason: OffReason): Face {
  switch (reason.kind) {
    case "everywhere":
      return { icon: "circle-slash", short: "off", spoken: "off" };
    case "language":
      return { icon: "circle-slash", short: "off", spoken: `off for ${reason.languageId}` };
    case "document":
      return { icon: "circle-slash", short: "off", spoken: `off here: ${reason.why}` };
    case "snoozed": {
      if (reason.until === "benchmark") {
        return { icon: "bell-slash", short: "paused", spoken: "paused until the benchmark has ended" };
      }
      const until = reason.until === "restart" ? "restart" : clockTime(reason.until);
      return { icon: "bell-slash", short: `off until ${until}`, spoken: `snoozed until ${until}` };
    }
  }
}

function describeError({ error, retryInMs }: Extract<Status, { kind: "error" }>): Face {
  const retry = retryInMs === null ? "" : ` Trying again in ${Math.ceil(retryInMs / 1000)} s.`;
  const spoken = `${sentence(error.message)} ${advice[error.code].whatToDo}${retry}`;
  return { icon: "error", short: error.code.replaceAll(/[/-]/g, " "), spoken };
}

function shortSpeed({ speed }: StatusFacts): string {
  if (speed.decodeTokensPerSecond === null) return "";
  const share = speed.sparsity?.activeShare ?? 1;
  const active = share < 1 ? ` · ${formatPercent(share)} active` : "";
  return formatSpeed(speed.decodeTokensPerSecond, "tok/s") + active;
}

function spokenReady({ speed }: StatusFacts): string {
  if (speed.decodeTokensPerSecond === null) return "ready";
  return `ready, ${formatSpeed(speed.decodeTokensPerSecond, "tokens per second")}`;
}

function tooltip(face: Face, facts: StatusFacts): string {
  const links = [
    commandLink("Choose Model", commandIds.chooseModel),
    commandLink("Last Completions", commandIds.showLastCompletions),
    commandLink("Log", commandIds.showLog),
  ];
  const paragraphs = [
    [`**Hotpath** ${escapeMarkdown(face.spoken)}`],
    modelLines(facts),
    speedLines(facts.speed),
    benchmarkLines(facts),
    engineLines(facts),
    [links.join(" · ")],
  ];
  return paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("  \n"))
    .join("\n\n");
}

function modelLines({ model, isStarter, modelFile }: StatusFacts): string[] {
  const starter = isStarter ? [`Starter model: ${starterDescription}.`] : [`File: ${escapeMarkdown(modelFile)}`];
  if (!model) return starter;
  const devices = model.devices.map((device) => describeDevice(device, model.layerCount)).join("; ");
  const lines = [
    `Model: ${escapeMarkdown(`${model.name}, ${model.quantization}, ${describeContext(model)}`)}`,
    ...starter,
    `Devices: ${escapeMarkdown(devices)}`,
    `Mode: ${model.mode}, ${escapeMarkdown(sentence(model.modeReason))}`,
  ];
  if (model.hot) lines.push(`Hot neurons: ${escapeMarkdown(describeHot(model.hot))}`);
  if (model.profileNotice !== null) lines.push(`$(warning) ${escapeMarkdown(sentence(model.profileNotice))}`);
  if (model.sidecarNotice !== null) lines.push(`$(warning) ${escapeMarkdown(sentence(model.sidecarNotice))}`);
  if (model.fallback !== null) lines.push(`$(warning) ${escapeMarkdown(sentence(model.fallback))}`);
  return lines;
}

function describeHot({ device, layers, neurons, vramBytes }: HotNeurons): string {
  return `${neurons} of ${layers} layers on ${device}, ${formatBytes(vramBytes)}`;
}

function describeDevice({ name, description, layers, memory }: DeviceShare, layerCount: number): string {
  const parts = [
    ...(layers > 0 ? [`${layers} of ${layerCount} layers`] : []),
    ...(memory ? [formatBytes(totalBytes(memory))] : []),
  ];
  return `${name} (${description}) ${parts.join(", ")}`;
}

function speedLines(speed: LatencySummary): string[] {
  const { ttftP50Ms, ttftP95Ms, prefillTokensPerSecond, decodeTokensPerSecond, reuse, sparsity } = speed;
  const lines: string[] = [];
  if (ttftP50Ms !== null && ttftP95Ms !== null) {
    lines.push(`First text: p50 ${formatMs(ttftP50Ms)}, p95 ${formatMs(ttftP95Ms)}`);
  }
  if (decodeTokensPerSecond !== null) lines.push(`Decode: ${formatSpeed(decodeTokensPerSecond, "tok/s")}`);
  if (prefillTokensPerSecond !== null) lines.push(`Prefill: ${formatSpeed(prefillTokensPerSecond, "tok/s")}`);
  if (reuse !== null) lines.push(`Prompt reused: ${formatPercent(reuse)}`);
  if (sparsity) lines.push(...sparsityLines(sparsity));
  return lines;
}

function sparsityLines({ activeShare, hotShare, bytesPerToken, denseBytesPerToken }: Sparsity): string[] {
  if (activeShare === 1 && hotShare === 0) {
    return ["Neurons: every one is computed", `Read: ${formatBytes(bytesPerToken)} of weights per token`];
  }
  const read = `${formatBytes(bytesPerToken)} of weights per token, ${formatBytes(denseBytesPerToken)} if dense`;
  return [
    `Active neurons: ${formatPercent(activeShare)}, of these on the GPU: ${formatPercent(hotShare)}`,
    `Read: ${read}`,
  ];
}

function benchmarkLines({ benchmark }: StatusFacts): string[] {
  if (!benchmark) return [];
  const { fraction, what, isPaused } = benchmark;
  const state = `Benchmark ${isPaused ? "paused at" : "running,"} ${formatPercent(fraction)}: ${escapeMarkdown(sentence(what))}`;
  return [state, commandLink("Show it", commandIds.openBenchmarkResults)];
}

function engineLines({ lastEngineEnd }: StatusFacts): string[] {
  if (!lastEngineEnd) return [];
  return [`Engine ended at ${clockTime(lastEngineEnd.atMs)}: ${escapeMarkdown(sentence(lastEngineEnd.message))}`];
}
