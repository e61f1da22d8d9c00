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

/** Left to the system, the editor and the engine's own buffers. */
const reservedMemory = 2e9;
const reservedDisk = 2e9;
const contextTokens = 4096;
/** Two points make a line; these are its ends when a model does not fit. The second is the most that fits. */
const fewLayers = 2;
const leastLayers = 4;

export async function expandSizes(choice: SizesChoice, describe: Describe, room: Room): Promise<Sizes> {
  const subjects: SyntheticSubject[] = [];
  const left: string[] = [];
  for (const shape of choice.shapes) {
    for (const type of choice.types) {
      const options = optionsOf(shape, type, choice.active);
      const layers = layerCounts(await describe({ preset: shape, ...options }), room);
      if (!layers) left.push(`${shape} ${type}`);
      for (const count of layers?.counts ?? []) {
        const modes = options.arch === "moe" ? (["dense"] as const) : choice.modes;
        for (const mode of modes)
          subjects.push(subjectOf({ shape, type, options, mode, ...choice }, count, layers?.total));
      }
    }
  }
  return { subjects, left };
}

/** Of mixtures of experts a few experts are active, not a few neurons. */
function optionsOf(shape: string, type: string, active: number): Readonly<Record<string, string>> {
  return shape === "30b-a3b" ? { arch: "moe", type } : { arch: "llama-relu", type, active: String(active) };
}

interface LayerCounts {
  /** null: whole. */
  readonly counts: readonly (number | null)[];
  readonly total: number;
}

/** null: it does not fit even in part. */
function layerCounts(model: SyntheticModel, { memoryBytes, diskBytes }: Room): LayerCounts | null {
  const { bytes, layersBytes, layerCount: total, kvBytesPerToken } = model;
  const memory = memoryBytes - reservedMemory - kvBytesPerToken * contextTokens;
  const disk = diskBytes - reservedDisk;
  if (bytes <= Math.min(memory, disk)) return { counts: [null], total };
  const perLayer = layersBytes / total;
  // Both parts are there at the same time, each with its embeddings.
  const rest = 2 * (bytes - layersBytes) + fewLayers * perLayer;
  const most = Math.min(total - 1, Math.floor((Math.min(memory, disk) - rest) / perLayer));
  return most >= leastLayers ? { counts: [fewLayers, most], total } : null;
}

interface Described extends SizesChoice {
  readonly shape: string;
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
  readonly mode: ModeChoice;
}

function subjectOf(described: Described, count: number | null, total = 0): SyntheticSubject {
  const { shape, type, options, mode, active, spec } = described;
  const group = `${shape}-${type}-${mode}`.replaceAll("_", "-");
  const share = mode === "dense" ? "" : `, ${Number((100 * active).toPrecision(3))} % active`;
  const label = `${shape.toUpperCase()} ${type.toUpperCase()} ${mode}${share}`;
  return {
    kind: "synthetic",
    id: count === null ? group : `${group}-${count}-layers`,
    label: count === null ? label : `${label}, ${count} of ${total} layers`,
    shape,
    options,
    spec: { ...spec, mode },
    part: count === null ? null : { group, layers: count, totalLayers: total },
  };
}
