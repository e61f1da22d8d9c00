// What is here, what is missing, and what to do about it.
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { version as llamaPackagesVersion } from "../../native/llama.lock.json";
import { isCancelled, toAppError } from "../common/errors.ts";
import { cudaPackage } from "../common/libraryDirectories.ts";
import { productVersion } from "../common/productVersion.ts";
import { starterModelPath } from "../models/starterModel.ts";
import type { Diagnostics } from "../protocol/engine.ts";
import { type LoadedModel, type ModelSpec, totalBytes } from "../protocol/model.ts";
import type { MeasureAnswer } from "../protocol/planning.ts";
import { runtimeFiles } from "../protocol/runtimeFiles.ts";
import { probeChildIsolation } from "../sandbox/childSandbox.ts";
import type { Isolation } from "../sandbox/sandbox.ts";
import { type Command, type CommandContext, exitStatus } from "./command.ts";
import { describeHot, formatBytes, formatPercent, formatRows, formatTable } from "./format.ts";

export const doctorCommand: Command = {
  name: "doctor",
  synopsis: "doctor [--measure] [--json]",
  summary: "Check devices, libraries and versions; say what is wrong and what to do.",
  details: [
    "--measure  measure how fast memory and GPU are, which takes some seconds; `plan` reckons with it",
    "--json     print one JSON object",
    "Exit code 1 when something is wrong.",
  ],
  options: { measure: { type: "boolean" }, json: { type: "boolean" } },
  positionals: [0, 0],
  async run(context, _, { json, measure }) {
    const report = await examine(context, measure === true);
    context.print(json ? JSON.stringify(report) : describe(report));
    return report.problems.length === 0 ? exitStatus.ok : exitStatus.failed;
  },
};

interface Finding {
  readonly what: string;
  readonly remedy: string;
}

interface Report {
  readonly version: string;
  readonly system: {
    readonly platform: string;
    readonly node: string;
    readonly memoryBytes: number;
    readonly cores: number;
  };
  readonly engine: Diagnostics | null;
  /** null: not asked for, or it failed. */
  readonly measured: MeasureAnswer | null;
  /** Of programs that a model wrote, when a benchmark runs them; null: it does not run them here. */
  readonly isolation: Isolation | null;
  readonly logFile: string;
  /** Something does not work. */
  readonly problems: readonly Finding[];
  /** Something could work better. */
  readonly hints: readonly Finding[];
}

async function examine({ engine, signal, productFolder }: CommandContext, isMeasuring: boolean): Promise<Report> {
  const problems: Finding[] = [];
  const hints: Finding[] = [];
  const logFile = runtimeFiles().log;
  let diagnostics: Diagnostics | null = null;
  let measured: MeasureAnswer | null = null;
  try {
    diagnostics = await engine.diagnostics(signal);
    await engine.inspect(starterModelPath(productFolder), signal);
    if (isMeasuring) measured = await engine.measure({ fresh: true }, signal);
  } catch (thrown) {
    if (isCancelled(thrown)) throw thrown;
    const { code, message } = toAppError(thrown);
    problems.push({ what: `${code}: ${message}`, remedy: remedyFor(message, logFile) });
  }
  if (diagnostics) hints.push(...gpuHints(diagnostics));
  const isolation = await probeChildIsolation(path.join(productFolder, "dist")).catch((thrown) => {
    const remedy = "Completions do not need it. The benchmark panel has a place of its own for them.";
    hints.push({ what: toAppError(thrown).message, remedy });
    return null;
  });
  const system = {
    platform: `${process.platform}-${process.arch} ${os.release()}`,
    node: process.versions.node,
    memoryBytes: os.totalmem(),
    cores: os.availableParallelism(),
  };
  return { version: productVersion, system, engine: diagnostics, measured, isolation, logFile, problems, hints };
}

function remedyFor(message: string, logFile: string): string {
  if (/GLIBC(XX)?_/.test(message)) {
    return "This system is older than the prebuilt libraries (glibc 2.34: Debian 12, Ubuntu 22.04, RHEL 9). Build from source: see README, Building.";
  }
  if (/hotpath\.node/.test(message))
    return "The native part is missing or broken: run `npm run build`, or reinstall the extension.";
  return `Look at ${logFile}; \`Hotpath: Restart Engine\` starts afresh.`;
}

function gpuHints({ devices, libraries }: Diagnostics): Finding[] {
  if (devices.some((device) => device.kind === "gpu")) return [];
  const cuda = cudaPackage();
  const reasons = libraries.backends
    .filter(({ file, loaded }) => !loaded && !/ggml-cpu/.test(file))
    .map(({ file, reason }) => `${file}: ${reason}`);
  const found = reasons.length > 0 ? ` (${reasons.join("; ")})` : "";
  if (!hasNvidiaDriver() || !cuda) {
    return [
      {
        what: `No GPU is used${found}.`,
        remedy:
          "With a GPU: install its driver with Vulkan support (Debian: mesa-vulkan-drivers). Without one all is well.",
      },
    ];
  }
  return [
    {
      what: `An NVIDIA driver is here but no GPU is used${found}.`,
      remedy:
        `Vulkan needs libvulkan1. For CUDA: npm install --prefix "${cuda.prefix}" ${cuda.name}@${llamaPackagesVersion} ` +
        "and the CUDA 13 runtime with cuBLAS (libcublas.so.13), then restart the engine.",
    },
  ];
}

function hasNvidiaDriver(): boolean {
  return ["/proc/driver/nvidia/version", "C:\\Windows\\System32\\nvcuda.dll"].some((file) => existsSync(file));
}

function describe({ version, system, engine, measured, isolation, logFile, problems, hints }: Report): string {
  const lines = [
    `Hotpath ${version} on ${system.platform}, Node ${system.node}, ${system.cores} cores, ${formatBytes(system.memoryBytes)} memory`,
  ];
  if (engine) lines.push(describeEngine(engine));
  if (measured) lines.push(describeMeasurement(measured));
  if (isolation) lines.push(describeIsolation(isolation));
  lines.push(`Log: ${logFile}`);
  const list = (title: string, findings: readonly Finding[]) => {
    for (const { what, remedy } of findings) lines.push("", `${title}: ${what}`, `  What to do: ${remedy}`);
  };
  list("Problem", problems);
  list("Hint", hints);
  if (problems.length === 0) lines.push("", "Everything that is needed works.");
  return lines.join("\n");
}

function describeIsolation({ level, layers }: Isolation): string {
  const walls = layers.map(({ name, isPresent }) => (isPresent ? name : `no ${name}`));
  return `Programs of a model run in ${level} isolation: ${walls.join(", ")}`;
}

function describeEngine({
  pid,
  clientCount,
  residentBytes,
  libraries,
  devices,
  cudaKernels,
  models,
}: Diagnostics): string {
  const loaded = models.flatMap((state) => (state.phase === "ready" ? [describeModel(state)] : []));
  return [
    `Engine: process ${pid}, ${clientCount} client${clientCount === 1 ? "" : "s"}, ${formatBytes(residentBytes)} resident`,
    `llama.cpp ${libraries.llamaVersion}, CPU code for ${libraries.cpuVariant}`,
    "Devices:",
    formatRows(
      devices.map(({ name, description, memoryBytes, freeBytes }) => [
        name,
        `${description}, ${formatBytes(freeBytes)} free of ${formatBytes(memoryBytes)}`,
      ]),
    ),
    "Libraries:",
    formatRows(
      libraries.backends.map(({ file, loaded: isLoaded, reason }) => [
        file,
        isLoaded ? "loaded" : (reason ?? "not loaded"),
      ]),
    ),
    `Hotpath's CUDA kernels: ${cudaKernels ? `${cudaKernels.ok ? "" : "not used, "}${cudaKernels.text}` : "none were built"}`,
    `Models in memory: ${loaded.length > 0 ? loaded.join(", ") : "none"}`,
  ].join("\n");
}

function describeModel({ spec: { path }, model }: { readonly spec: ModelSpec; readonly model: LoadedModel }): string {
  const told = model.devices.flatMap(({ name, memory }) =>
    memory ? [`${formatBytes(totalBytes(memory))} on ${name}`] : [],
  );
  if (model.hot) told.push(`hot neurons: ${describeHot(model.hot)}`);
  return told.length > 0 ? `${path} (${told.join("; ")})` : path;
}

function describeMeasurement({ measurement: { cpu, gpus } }: MeasureAnswer): string {
  const best = Math.max(...cpu.map(({ streamGBps }) => streamGBps));
  const rate = (gbps: number) => gbps.toPrecision(3);
  const ofStreaming = (gbps: number, stream: number) => `${rate(gbps)} (${formatPercent(gbps / stream)})`;
  const lines = [
    "Reading memory, GB/s; records: every ninth one, and its share of streaming:",
    formatTable([
      ["threads", "streaming", "2 kB records", "4 kB records"],
      ...cpu.map(({ threads, streamGBps, gather2kGBps, gather4kGBps }) => [
        String(threads),
        ofStreaming(streamGBps, best),
        ofStreaming(gather2kGBps, streamGBps),
        ofStreaming(gather4kGBps, streamGBps),
      ]),
    ]),
  ];
  for (const gpu of gpus) {
    lines.push(
      `${gpu.name}, ${gpu.description}: matrix times vector ${rate(gpu.matvecGBps)} GB/s, to it ${rate(gpu.uploadGBps)} GB/s, ` +
        `from it ${rate(gpu.downloadGBps)} GB/s, an exchange ${gpu.exchangeUs.toFixed(0)} us, an empty graph ${gpu.graphUs.toFixed(0)} us`,
    );
  }
  return lines.join("\n");
}
