// Subjects too large to be measured whole. Two of their kind with few layers were; every layer takes the same time and
// memory, so what all layers take follows from the two.
import { type DeviceMemory, totalBytes } from "../../protocol/model.ts";
import type { Caution, OutputEntry } from "../record/entries.ts";
import { stepKey } from "../record/resume.ts";
import { describeGroups } from "../statistics/quantile.ts";
import type { GpuMemory, SubjectFacts, SyntheticSubject } from "../subject.ts";
import { groupBy } from "./group.ts";
import { formatBytes } from "./numbers.ts";
import { bandwidth, isMeasured, known, medianOrNull, readTimed, type SpeedFigures, timedFigures } from "./speed.ts";

export interface MeasuredPart {
  readonly layers: number;
  readonly facts: SubjectFacts;
  readonly outputs: readonly OutputEntry[];
}

/** The fewest and the most layers of a group. */
export interface Parts {
  readonly few: MeasuredPart;
  readonly many: MeasuredPart;
  readonly totalLayers: number;
}

type Pair = readonly [few: OutputEntry, many: OutputEntry];

/** By group. Subjects that are whole, or alone in their group, are in none. */
export function groupParts(subjects: readonly SyntheticSubject[]): Map<string, [few: string, many: string]> {
  const groups = groupBy(
    subjects.filter(({ part }) => part !== null),
    ({ part }) => part?.group ?? "",
  );
  const pairs = new Map<string, [string, string]>();
  for (const [group, members] of groups) {
    const sorted = members.toSorted((a, b) => (a.part?.layers ?? 0) - (b.part?.layers ?? 0));
    const [few, many] = [sorted[0], sorted.at(-1)];
    if (few && many && few.part?.layers !== many.part?.layers) pairs.set(group, [few.id, many.id]);
  }
  return pairs;
}

/** From samples of the two that were taken one after the other. Percentiles are not told: nothing was sampled whole. */
export function computedFigures(
  parts: Parts,
  isTaken: (output: OutputEntry) => boolean,
  facts: SubjectFacts,
  memoryBandwidth: number | null,
): SpeedFigures {
  const taken = (output: OutputEntry) => isTaken(output) && isMeasured(output);
  const others = new Map(parts.few.outputs.filter(taken).map((output) => [keyOf(output), output]));
  const pairs = parts.many.outputs.filter(taken).flatMap((many): Pair[] => {
    const few = others.get(keyOf(many));
    return few ? [[few, many]] : [];
  });
  const prompts = [...groupBy(pairs, ([{ task }]) => task).values()];
  const timed = timedFigures((name) => {
    const isRate = name === "prefill" || name === "decode";
    const grown = ([few, many]: Pair) => whole(parts, readTimed[name](few), readTimed[name](many), isRate);
    const described = describeGroups(prompts.map((taken) => known(taken.map(grown)).filter((value) => value > 0)));
    return described && { ...described, mean: null, sd: null, p50: null, p95: null, p99: null };
  });
  const joules = pairs.map(([few, many]) => whole(parts, perToken(few), perToken(many)));
  const bytes = pairs.map(([few, many]) => whole(parts, few.bytesPerToken, many.bytesPerToken));
  return {
    ...timed,
    samples: pairs.length,
    disturbed: 0,
    activeShare: medianOrNull(known(pairs.map(([, { activeShare }]) => activeShare))),
    joulesPerToken: medianOrNull(known(joules)),
    ...bandwidth(medianOrNull(known(bytes)), timed.tpotMs, facts, memoryBandwidth),
  };
}

/** Why nothing follows from the two; null: all layers take the same time. */
export function unlikeParts({ few, many, totalLayers }: Parts): Caution | null {
  const [before, after] = [devicesOf(few.facts), devicesOf(many.facts)];
  if (before.join() === after.join() && !(after.length > 1 && after.includes("CPU"))) return null;
  const told = `${few.layers} layers ran on ${before.join(" and ")}, ${many.layers} on ${after.join(" and ")}`;
  return {
    code: "not-computed",
    message: `Nothing is computed for all ${totalLayers} layers, as layers take different times on different devices: ${told}.`,
    advice: "Measure the shape on the processor alone, or on a GPU with more free memory.",
  };
}

/** What is to be known of a computed subject; null: nothing. */
export function impossibleSize({ gpuMemory }: SubjectFacts, videoBytes: number): Caution | null {
  const bytes = bytesOn(gpuMemory);
  if (bytes <= videoBytes) return null;
  return {
    code: "computed-beyond-gpu",
    message: `It would take ${formatBytes(bytes)} on GPUs that have ${formatBytes(videoBytes)}: its figures are those of more memory.`,
    advice: "Measure the shape on the processor alone to learn how fast it is here.",
  };
}

/** Of the layers: "CPU", "Vulkan0". */
function devicesOf({ placement }: SubjectFacts): string[] {
  const devices = [...(placement ?? "").matchAll(/\d+ layers on ([^,;]+)/g)].map(([, device = ""]) => device);
  return [...new Set(devices)].sort();
}

function bytesOn(gpuMemory: SubjectFacts["gpuMemory"]): number {
  return (gpuMemory ?? []).reduce((sum, memory) => sum + totalBytes(memory), 0);
}

/** What was found out about the larger part, with its sizes grown to all layers. `videoBytes`: of all GPUs. */
export function computedFacts(parts: Parts, videoBytes: number): SubjectFacts {
  const { few, many } = parts;
  const fileBytes = whole(parts, few.facts.fileBytes, many.facts.fileBytes);
  const residentBytes = whole(parts, besideKv(few.facts), besideKv(many.facts));
  const gpuMemory = computedGpuMemory(parts);
  return {
    ...many.facts,
    fileBytes: fileBytes && Math.round(fileBytes),
    residentBytes: residentBytes && Math.round(residentBytes + growKv(parts, mainKv(many.facts))),
    gpuMemory,
    kvBytes: many.facts.kvBytes && growKv(parts, many.facts.kvBytes),
    sha256: null,
    placement: computedPlacement(parts),
    fitsInVram: many.facts.fitsInVram && (gpuMemory ? bytesOn(gpuMemory) <= videoBytes : null),
    loadMs: null,
    hot: null,
  };
}

function computedPlacement({ many: { facts }, totalLayers }: Parts): string | null {
  const devices = devicesOf(facts);
  if (devices.length === 0) return null;
  const hot = facts.hot ? `, hot neurons on ${facts.hot.device}` : "";
  return `as if all ${totalLayers} layers were on ${devices.join(" and ")}${hot}`;
}

/** For how many documents a KV cache is kept differs with the size of a model. All of one lies in the layers. */
function growKv({ many, totalLayers }: Parts, atMany: number): number {
  return Math.round((atMany * totalLayers) / many.layers);
}

/** Bytes of KV cache in main memory. */
function mainKv({ kvBytes, gpuMemory }: SubjectFacts): number {
  return (gpuMemory ?? []).reduce((rest, { kvBytes }) => rest - kvBytes, kvBytes ?? 0);
}

function besideKv(facts: SubjectFacts): number | null {
  return facts.residentBytes && facts.residentBytes - mainKv(facts);
}

/** null: the two are not on the same GPUs, or nobody knows. */
function computedGpuMemory(parts: Parts): GpuMemory[] | null {
  const [few, many] = [parts.few.facts.gpuMemory, parts.many.facts.gpuMemory];
  if (!few || !many || few.length !== many.length) return null;
  const grown = many.flatMap((large) => {
    const small = few.find(({ device }) => device === large.device);
    if (!small) return [];
    const size = (name: keyof DeviceMemory) => Math.round(grow(parts, small[name], large[name]));
    return [
      {
        device: large.device,
        weightBytes: size("weightBytes"),
        kvBytes: growKv(parts, large.kvBytes),
        computeBytes: size("computeBytes"),
        hotBytes: size("hotBytes"),
      },
    ];
  });
  return grown.length === many.length ? grown : null;
}

/** A rate grows as its inverse, a time, does. */
function whole(parts: Parts, few: number | null, many: number | null, isRate = false): number | null {
  if (few === null || many === null) return null;
  if (isRate) return 1 / grow(parts, 1 / few, 1 / many);
  return grow(parts, few, many);
}

function grow({ few, many, totalLayers }: Parts, atFew: number, atMany: number): number {
  return atFew + ((atMany - atFew) * (totalLayers - few.layers)) / (many.layers - few.layers);
}

const keyOf = (output: OutputEntry) => stepKey({ ...output, subject: "" });

const perToken = ({ joules, generatedTokens }: OutputEntry) =>
  joules === null || generatedTokens === 0 ? null : joules / generatedTokens;
