// Which synthetic models a sweep over sizes consists of on this machine.
import type { ModeChoice, SyntheticModel } from "../../../protocol/model.ts";
import type { SyntheticSubject } from "../../subject.ts";

export interface SizesChoice {
  /** Presets of `hotpath synth`. */
  readonly shapes: readonly string[];
  /** Of the weights: "q4_0", "q8_0", ... */
  readonly types: readonly string[];
  readonly modes: readonly ModeChoice[];
  /** Share of neurons active for a token. */
  readonly active: number;
  readonly spec: Omit<SyntheticSubject["spec"], "mode">;
}

/** What a model may take here. */
export interface Room {
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export interface Sizes {
  readonly subjects: readonly SyntheticSubject[];
  /** Shapes of which not even a few layers fit. */
  readonly left: readonly string[];
}

/** What `Engine.describeSynthetic` tells of a model with these options. */
export type Describe = (options: Readonly<Record<string, string>>) => Promise<SyntheticModel>;

/** The rest is left to the system, the editor and the engine's own buffers. */
const memoryShare = 0.85;
const reservedDisk = 2e9;
/** For one document: where there is no room for more, the engine keeps one. */
const contextTokens = 4096;
/**
 * Two points make a line; these are its ends when a model does not fit, the second as far as there is room. More than 16
 * would take longer and tell little more: noise of 1 % in both becomes 1.1 % in 80 layers, and 1.0 % with 40 measured ones.
 */
const fewLayers = 2;
const manyLayers = { least: 4, most: 16 } as const;

export async function expandSizes(choice: SizesChoice, describe: Describe, room: Room): Promise<Sizes> {
  const subjects: SyntheticSubject[] = [];
  const left: string[] = [];
  for (const shape of choice.shapes) {
    for (const type of choice.types) {
      const variants = variantsOf(shape, type, choice);
      const model = await describe({ preset: shape, ...variants[0]?.options });
      const files = new Set(variants.map(({ options }) => options.arch)).size;
      const counts = layerCounts(model, files, room);
      if (counts.length === 0) left.push(`${shape} ${type}`);
      for (const count of counts) {
        const part = count === null ? null : { layers: count, totalLayers: model.layerCount };
        for (const variant of variants) subjects.push(subjectOf({ shape, type, part, ...variant, ...choice }));
      }
    }
  }
  return { subjects, left };
}

interface Variant {
  readonly mode: ModeChoice;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Neurons are left out of a model with ReLU, which llama.cpp alone does not run; beside it stands its twin of the same
 * sizes as llama.cpp knows it. Of mixtures of experts few experts are active, not few neurons.
 */
function variantsOf(shape: string, type: string, { modes, active }: SizesChoice): Variant[] {
  if (shape === "30b-a3b") return [{ mode: "dense", options: { arch: "moe", type } }];
  return modes.map((mode) => {
    const isDense = mode === "dense";
    return { mode, options: isDense ? { arch: "llama", type } : { arch: "llama-relu", type, active: String(active) } };
  });
}

/** Whole (null), or in two parts; none when not even these fit. */
function layerCounts(model: SyntheticModel, files: number, { memoryBytes, diskBytes }: Room): (number | null)[] {
  const { bytes, layersBytes, layerCount, kvBytesPerToken } = model;
  const memory = memoryShare * memoryBytes - kvBytesPerToken * contextTokens;
  // On the disk are the files of all modes; in memory, if need be, one after the other.
  const most = Math.min(memory, (diskBytes - reservedDisk) / files);
  if (bytes <= most) return [null];
  const perLayer = layersBytes / layerCount;
  // Both parts are there at the same time, each with its embeddings.
  const rest = 2 * (bytes - layersBytes) + fewLayers * perLayer;
  const many = Math.min(layerCount - 1, manyLayers.most, Math.floor((most - rest) / perLayer));
  return many >= manyLayers.least ? [fewLayers, many] : [];
}

interface Described extends SizesChoice, Variant {
  readonly shape: string;
  readonly type: string;
  readonly part: { readonly layers: number; readonly totalLayers: number } | null;
}

function subjectOf({ shape, type, options, mode, active, part, spec }: Described): SyntheticSubject {
  const group = `${shape}-${type}-${mode}`.replaceAll("_", "-");
  const share = mode === "dense" ? "" : `, ${Number((100 * active).toPrecision(3))} % active`;
  const label = `${shape.toUpperCase()} ${type.toUpperCase()} ${mode}${share}`;
  return {
    kind: "synthetic",
    id: part ? `${group}-${part.layers}-layers` : group,
    label: part ? `${label}, ${part.layers} of ${part.totalLayers} layers` : label,
    shape,
    options,
    spec: { ...spec, mode },
    part: part && { group, ...part },
  };
}
