// What stands above the tables of a report: the run, the machine, and what is to be known before the figures are believed.
import { formatBytes } from "./numbers.ts";
import { counted, describeState } from "./state.ts";
import type { RunSummary } from "./summary.ts";

/** Label and value. Text of a record may be anything: escape it. */
export function reportFacts(summary: RunSummary): [label: string, value: string][] {
  const { environment } = summary;
  const facts: [string, string | null][] = [
    ["Run", `${summary.runId}, ${summary.startedAt}, ${describeStatus(summary)}`],
    ["Processor", `${environment.cpu}, ${environment.logicalCores} logical cores`],
    ["Memory", describeMemory(summary)],
    ["GPU", environment.gpus.map(describeGpu).join("; ") || "none"],
    ["System", `${environment.os}, ${environment.arch}, Node ${environment.nodeVersion}`],
    ["Power", [environment.power, environment.governor].filter((fact) => fact !== null).join(", ") || null],
    ["Engine", describeEngine(summary)],
    ["Completions", summary.completions === "paused" ? "paused during the run" : "ahead of the run"],
    ["Suites", summary.suites.map(describeSuite).join("; ")],
    ["Code ran in", describeIsolation(summary)],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

/** Warnings that say the same are told once. */
export function reportCautions({ failures, warnings, subjects }: RunSummary): string[] {
  const nameOf = (subject: string) => subjects.find(({ id }) => id === subject)?.label ?? subject;
  const failed = failures.map(
    ({ subject, suite, code, message }) =>
      `${nameOf(subject)} failed${suite ? ` in ${suite}` : ""}: ${message} (${code})`,
  );
  const warned = warnings.map(
    ({ message, advice, subject }) => `${subject === null ? "" : `${nameOf(subject)}: `}${message} ${advice}`,
  );
  return [...new Set([...failed, ...warned])];
}

function describeStatus({ status, left, resumes, failuresMadeGood }: RunSummary): string {
  const resumed = resumes > 0 ? [`resumed ${resumes === 1 ? "once" : `${resumes} times`}`] : [];
  const mended = failuresMadeGood > 0 ? [`${counted(failuresMadeGood, "failure")} made good`] : [];
  return [describeState(status, left), ...resumed, ...mended].join(", ");
}

function describeMemory({ environment: { memoryBytes, memoryBandwidth } }: RunSummary): string {
  return `${formatBytes(memoryBytes)}${memoryBandwidth ? `, ${formatBytes(memoryBandwidth)} per second measured` : ""}`;
}

function describeGpu({ name, memoryBytes, driver }: RunSummary["environment"]["gpus"][number]): string {
  return `${name}, ${formatBytes(memoryBytes)}${driver ? `, driver ${driver}` : ""}`;
}

function describeEngine({ environment: { productVersion, llamaVersion, cpuVariant } }: RunSummary): string {
  const llama = llamaVersion ? `, llama.cpp ${llamaVersion}` : "";
  return `Hotpath ${productVersion}${llama}${cpuVariant ? ` for ${cpuVariant}` : ""}`;
}

function describeSuite({ info, choice, selfTest }: RunSummary["suites"][number]): string {
  const unit = info.kind === "speed" ? "rounds" : "samples each";
  const rounds = choice && choice.repetitions > 1 ? `, ${choice.repetitions} ${unit}` : "";
  const tested = selfTest ? `, references ${selfTest.passed}/${selfTest.total}` : "";
  return `${info.title} (${info.protocol}, ${counted(info.taskCount, "task")}${rounds}${tested})`;
}

function describeIsolation({ isolation }: RunSummary): string | null {
  if (!isolation) return null;
  const { place, level, layers, interpreter } = isolation.isolation;
  const missing = layers.filter(({ isPresent }) => !isPresent).map(({ name }) => name);
  const where = place === "child" ? "a confined process" : "a worker of the panel";
  const lacking = missing.length > 0 ? `, without ${missing.join(", ")}` : "";
  return `${where}, ${level} isolation${lacking}; ${interpreter}`;
}
