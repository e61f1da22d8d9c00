// The native addon as TypeScript sees it. Only the engine process loads it. A tidy test compares the exported names
// with the built addon. Every rejection is an Error with `code` (src/common/errors.ts) and `details`.
import type { CudaKernels, PrepareProgress } from "../protocol/engine.ts";
import type {
  Device,
  EngineLibraries,
  GenerateParams,
  GenerateResult,
  LoadedModel,
  ModelMetadata,
  ModelSpec,
  PrepareParams,
  PrepareResult,
  SynthesizeParams,
  SynthesizeResult,
  SyntheticModel,
} from "../protocol/model.ts";
import type {
  MachineMeasurement,
  MachineRates,
  ModelPlan,
  PlanParams,
  ProfileParams,
  ProfileSummary,
} from "../protocol/planning.ts";

/** Work on another thread. `cancel` may be called at any time, also twice or after the end. */
export interface Task<T> {
  readonly result: Promise<T>;
  cancel(): void;
}

export interface NativeModel {
  readonly info: LoadedModel;
  /**
   * Generations of one model run one after another in the order of the calls. `onText` gets whole UTF-8 characters.
   * Cancelling costs at most one decode step, in a prompt at most one graph node of one micro-batch.
   */
  generate(params: GenerateParams, onText: (text: string) => void): Task<GenerateResult>;
  /** Token ids of a text without special tokens. */
  tokenize(text: string): Int32Array;
  /** Cancels what runs and what waits, frees the memory, resolves when it is done; a second call resolves too. */
  unload(): Promise<void>;
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
}

export interface NativeModelSpec extends ModelSpec {
  /** Files that may hold its prepared weights, the preferred first. */
  readonly sidecars: readonly string[];
  /** Where the engine keeps which neurons the user's code makes active; no text. */
  readonly profile: string;
  /** With Hotpath's own CUDA kernels; empty: none was built. */
  readonly cudaLibrary: string;
  /** Of this machine, if they were measured. */
  readonly rates: MachineRates | null;
}

export interface Addon {
  /**
   * Finds the backends in the given directories, best CPU variant first. Called once; later calls return the same.
   * `onLog` gets what llama.cpp and we report; nothing is written to stdout or stderr.
   */
  start(options: { libraryDirectories: readonly string[]; onLog: (line: LogLine) => void }): EngineLibraries;
  devices(): Device[];
  /** What the library at this path finds; opens it, once. */
  cudaKernels(path: string): CudaKernels;
  /** Reads the header only. Any bytes give a result or a coded error. */
  inspect(path: string): Promise<ModelMetadata>;
  load(spec: NativeModelSpec, onProgress: (fraction: number) => void): Task<NativeModel>;
  /** Leaves no file behind when it fails or is cancelled. */
  synthesize(params: SynthesizeParams, onProgress: (bytes: number, totalBytes: number) => void): Task<SynthesizeResult>;
  describeSynthetic(params: Omit<SynthesizeParams, "path">): Promise<SyntheticModel>;
  /** About two seconds for the CPU and one per GPU. */
  measure(): Task<MachineMeasurement>;
  /** Reads the header only, and the profile when one is named. */
  plan(params: Omit<PlanParams, "rates" | "gpu"> & { readonly rates: MachineRates }): Promise<ModelPlan>;
  /** Loads a model of its own, runs the files through it, saves the profile. */
  profile(
    spec: ModelSpec,
    work: Omit<ProfileParams, "model">,
    onProgress: (tokens: number, totalTokens: number) => void,
  ): Task<ProfileSummary>;
  readProfile(path: string): Promise<ProfileSummary>;
  /** Saves the sum of profiles of one model. */
  mergeProfiles(work: { readonly files: readonly string[]; readonly out: string }): Promise<ProfileSummary>;
  /** Makes or checks a sidecar, which appears whole or not at all. */
  prepare(
    params: PrepareParams,
    onProgress: (step: PrepareProgress["step"], done: number, total: number) => void,
  ): Task<PrepareResult>;
  /** Takes the lock of a file for the life of this process (flock, LockFileEx); false when another process has it. */
  lockFile(path: string): boolean;
}
