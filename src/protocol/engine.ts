// The contract between the engine process and its clients (every VS Code window, the CLI): JSON-RPC over a local socket.
// Raise `protocolVersion` with every change here; a tidy test holds the hash of src/protocol.
import { NotificationType, ProgressType, RequestType, RequestType0 } from "vscode-jsonrpc";
import type { ErrorCode, ErrorDetails } from "../common/errors.ts";
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
} from "./model.ts";
import type {
  MeasureAnswer,
  PlanAnswer,
  PlanParams,
  ProfileParams,
  ProfileProgress,
  ProfileSummary,
} from "./planning.ts";

export const protocolVersion = 13;

/** Carried by every JSON-RPC error; the JSON-RPC number itself says nothing. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
}

export interface HelloParams {
  readonly protocolVersion: number;
  readonly productVersion: string;
  /** Proves that the client can read the user's private engine file. */
  readonly secret: string;
  /** For the engine's log: "vscode 4711", "cli 4712". */
  readonly client: string;
}

export interface HelloResult {
  readonly productVersion: string;
  readonly pid: number;
}

/** Client to engine, always first. Fails with `engine/version` or `engine/refused`; nothing else is answered before it. */
export const helloRequest = new RequestType<HelloParams, HelloResult, ErrorData>("hello");

/** Client to engine: are you there? Only sent while an answer is awaited. */
export const pingRequest = new RequestType0<null, ErrorData>("ping");

export interface Preferences {
  /** Unload a model nobody has used for this long; 0: never. Of all clients the longest wins. */
  readonly idleUnloadMinutes: number;
}

/** Client to engine, when its settings change. */
export const preferencesNotification = new NotificationType<Preferences>("preferences");

/** Client to engine: have this model ready. Answers when it is; progress comes as `modelState` notifications. */
export const loadRequest = new RequestType<ModelSpec, LoadedModel, ErrorData>("load");

/** Client to engine: read a model file's header. */
export const inspectRequest = new RequestType<{ path: string }, ModelMetadata, ErrorData>("inspect");

/**
 * Client to engine: have this model ready and keep it, also beside the same file in another mode, until `release` or the
 * end of the connection. A second hold of the same client changes nothing. `model/too-large` when it does not fit beside
 * what is in use.
 */
export const holdRequest = new RequestType<ModelSpec, LoadedModel, ErrorData>("hold");

/** Client to engine: it is no longer needed. Answers when the memory is free, if nobody else uses it; null if not held. */
export const releaseRequest = new RequestType<ModelSpec, null, ErrorData>("release");

/** completion: somebody is typing; runs before all waiting background work. What runs is not interrupted. */
export const priorities = ["completion", "background"] as const;
export type Priority = (typeof priorities)[number];

export interface GenerateRequestParams extends GenerateParams {
  readonly model: ModelSpec;
  readonly priority: Priority;
  /** Chosen by the client, unique on its connection: names the progress stream. */
  readonly requestId: string;
  /** A newer request of the same client for the same document ends an older one with `request/cancelled`. */
  readonly documentId: string;
}

export interface GenerateAnswer extends GenerateResult {
  readonly model: LoadedModel;
  /** Other generations, of other models, that ran in the engine while this one did. */
  readonly overlaps: number;
  /** From the request to the start of the work: waiting for the model's load and for its turn. */
  readonly queuedMs: number;
}

/** Client to engine: complete. Loads the model when it is not loaded. Text streams as progress on `requestId`. */
export const generateRequest = new RequestType<GenerateRequestParams, GenerateAnswer, ErrorData>("generate");
export const textProgress = new ProgressType<string>();

export interface SynthesizeRequestParams extends SynthesizeParams {
  /** As in GenerateRequestParams. */
  readonly requestId: string;
}

export interface SynthesizeProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Client to engine, for `hotpath synth`: write a model. How far it is comes as progress on `requestId`. */
export const synthesizeRequest = new RequestType<SynthesizeRequestParams, SynthesizeResult, ErrorData>("synthesize");
export const synthesizeProgress = new ProgressType<SynthesizeProgress>();

/** Client to engine: what a synthetic model would be like. Writes nothing. */
export const describeSyntheticRequest = new RequestType<Omit<SynthesizeParams, "path">, SyntheticModel, ErrorData>(
  "describeSynthetic",
);

export interface PrepareRequestParams extends PrepareParams {
  /** As in GenerateRequestParams. */
  readonly requestId: string;
}

/** `done` of `total`: bytes, or the text when comparing. */
export interface PrepareProgress {
  readonly step: "packing" | "comparing" | "checking";
  readonly done: number;
  readonly total: number;
}

/** Client to engine, for `hotpath prepare`: make or check a sidecar. How far it is comes as progress on `requestId`. */
export const prepareRequest = new RequestType<PrepareRequestParams, PrepareResult, ErrorData>("prepare");
export const prepareProgress = new ProgressType<PrepareProgress>();

/** What Hotpath's own CUDA kernels found on this machine. */
export interface CudaKernels {
  readonly ok: boolean;
  /** A sentence with the actual values. */
  readonly text: string;
}

export interface Diagnostics {
  readonly productVersion: string;
  readonly pid: number;
  readonly uptimeMs: number;
  /** Resident memory of the process, mapped model files included. */
  readonly residentBytes: number;
  /** Of these, what is not mapped from files; null: the system does not tell. */
  readonly privateBytes: number | null;
  readonly clientCount: number;
  readonly libraries: EngineLibraries;
  readonly devices: readonly Device[];
  /** null: none were built. */
  readonly cudaKernels: CudaKernels | null;
  readonly models: readonly ModelState[];
}

/** Client to engine, for `hotpath doctor`. */
export const diagnosticsRequest = new RequestType0<Diagnostics, ErrorData>("diagnostics");

/** Client to engine: how fast this machine moves bytes. `fresh`: measured now, in seconds, even if it is known. */
export const measureRequest = new RequestType<{ fresh: boolean }, MeasureAnswer, ErrorData>("measure");

/** Client to engine: where would this model's parts go, and how fast would it run. Loads nothing. */
export const planRequest = new RequestType<PlanParams, PlanAnswer, ErrorData>("plan");

export interface ProfileRequestParams extends ProfileParams {
  /** Chosen by the client, unique on its connection: names the progress stream. */
  readonly requestId: string;
}

/** Client to engine: count which neurons texts make active; takes a while. Progress streams on `requestId`. */
export const profileRequest = new RequestType<ProfileRequestParams, ProfileSummary, ErrorData>("profile");
export const profileProgress = new ProgressType<ProfileProgress>();

/** Client to engine: what a profile says. */
export const readProfileRequest = new RequestType<{ path: string }, ProfileSummary, ErrorData>("readProfile");

/** Client to engine: add up profiles of one model. */
export const mergeProfilesRequest = new RequestType<
  { readonly files: readonly string[]; readonly out: string },
  ProfileSummary,
  ErrorData
>("mergeProfiles");

/** Client to engine: please leave (a newer version wants to start, or the user restarts the engine). */
export const shutdownRequest = new RequestType<{ reason: string }, null, ErrorData>("shutdown");

export type UnloadReason = "idle" | "evicted" | "respecified" | "released" | "cancelled";

export interface Loading {
  readonly phase: "loading";
  /** 0 to 1. */
  readonly fraction: number;
  /** null: too early to tell, or too short to matter. */
  readonly remainingMs: number | null;
}

/** One file in two modes is two models. */
export type ModelState = { readonly spec: ModelSpec } & (
  | Loading
  | { readonly phase: "ready"; readonly model: LoadedModel }
  | { readonly phase: "unloaded"; readonly reason: UnloadReason }
  | { readonly phase: "failed"; readonly message: string; readonly error: ErrorData }
);

/** Engine to every client: a model changed its state; once per model after `hello`. */
export const modelStateNotification = new NotificationType<ModelState>("modelState");

export interface Goodbye {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Engine to every client: it ends on purpose, and why. */
export const goodbyeNotification = new NotificationType<Goodbye>("goodbye");
