// What the extension host and the panel's page say to each other. Both ends import this file; messages are told apart by
// `type` and taken in one exhaustive switch at each end.
import type { Left } from "../benchmark/record/entries.ts";
import type { LatencyName } from "../benchmark/report/charts/summaryPoints.ts";
import type { RunPhase } from "../benchmark/run/progress.ts";
import type { ServerApi } from "../benchmark/subject.ts";
import type { SuiteId } from "../benchmark/suite.ts";
import { suiteIds } from "../benchmark/suite.ts";
import { type ModeChoice, modeChoices } from "../protocol/model.ts";
import type { Isolation, Verdict } from "../sandbox/sandbox.ts";
import type { WorkerAssets } from "../sandbox/workerSandbox.ts";
import { latencyFigures, type RunView } from "./runView.ts";

/** What a user may choose from. */
export interface StartChoices {
  readonly models: readonly ModelChoice[];
  readonly shapes: readonly ShapeChoice[];
  readonly suites: readonly SuiteOffer[];
  /** Places where code of models may run, or why there is none. */
  readonly code: CodeOffer;
}

export interface ModelChoice {
  readonly path: string;
  readonly label: string;
  /** Folder, or what the starter model is. */
  readonly detail: string;
  /** The one that completions use now. */
  readonly isActive: boolean;
}

export interface ShapeChoice {
  readonly id: string;
  readonly label: string;
}

export interface SuiteOffer {
  readonly id: SuiteId;
  readonly title: string;
  readonly description: string;
  readonly runsCode: boolean;
  /** Only for shapes with synthesised weights, or only for models that were trained. */
  readonly subjects: "models" | "shapes" | "all";
  readonly taskCount: number | null;
  /** null: ready. Else what is fetched first, from where and how much. */
  readonly fetches: string | null;
}

export interface CodeOffer {
  /** As far as it is known before the first program: the panel's worker is tried when it starts. */
  readonly level: Isolation["level"] | "unavailable";
  readonly detail: string;
  /** What the user agreed to before. */
  readonly consent: Consent;
}

export type Consent = "none" | Isolation["level"];

export interface ServerDraft {
  readonly api: ServerApi;
  readonly url: string;
  readonly model: string;
}

/** A run as the form describes it. The host makes the plan of it, and refuses what cannot be. */
export interface RunDraft {
  readonly models: readonly string[];
  readonly modes: readonly ModeChoice[];
  readonly servers: readonly ServerDraft[];
  readonly shapes: readonly string[];
  readonly suites: readonly SuiteId[];
  /** Tasks per quality suite; null: all. */
  readonly limit: number | null;
  /** Rounds of speed suites. */
  readonly rounds: number;
  readonly completions: "ahead" | "paused";
  readonly consent: Consent;
}

export interface RunEstimate {
  /** null with a problem. */
  readonly leastMs: number | null;
  readonly mostMs: number | null;
  /** Why it cannot start like this, or null. */
  readonly problem: string | null;
}

/** The run that goes on. */
export interface LiveRun {
  readonly runId: string;
  readonly phase: RunPhase;
  readonly what: string;
  readonly done: number;
  readonly total: number;
  readonly remainingMs: number | null;
  readonly isPaused: boolean;
  readonly completions: "ahead" | "paused";
}

export interface RunListEntry {
  readonly runId: string;
  readonly startedAt: string;
  readonly state: RunView["state"];
  /** What going on with it would try again. */
  readonly left: Left;
  readonly suites: readonly SuiteId[];
  /** "starter (dense), starter (exact): latency, starter set" */
  readonly what: string;
}

/** One that cannot be shown, and why. */
export interface UnreadableEntry {
  readonly runId: string;
  readonly startedAt: string;
  readonly problem: string;
}

export const exportFormats = ["markdown", "csv", "html", "svg", "bundle"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export type ToPage =
  | { readonly type: "choices"; readonly choices: StartChoices }
  | { readonly type: "estimate"; readonly draftId: number; readonly estimate: RunEstimate }
  /** null: none goes on. */
  | { readonly type: "live"; readonly run: LiveRun | null }
  | {
      readonly type: "runs";
      readonly runs: readonly RunListEntry[];
      readonly unreadable: readonly UnreadableEntry[];
    }
  /** A run that ended with the window it ran in; null: none. */
  | { readonly type: "interrupted"; readonly runId: string | null }
  | { readonly type: "view"; readonly view: RunView }
  | { readonly type: "comparison"; readonly view: RunView }
  | { readonly type: "recommendation"; readonly runId: string; readonly subject: string | null; readonly text: string }
  | { readonly type: "notice"; readonly kind: "info" | "error"; readonly text: string }
  | { readonly type: "show"; readonly tab: Tab }
  /** Have a place for programs ready; answered by `sandboxReady` or `sandboxFailed` with this id, unless it was stopped. */
  | {
      readonly type: "sandboxStart";
      readonly id: number;
      readonly assets: WorkerAssets;
      readonly allowReduced: boolean;
    }
  | { readonly type: "program"; readonly id: number; readonly source: string }
  | { readonly type: "programCancel"; readonly id: number }
  /** Of the place that was started as `id`, also while it is not ready yet. */
  | { readonly type: "sandboxStop"; readonly id: number };

export type Tab = "start" | "results" | "history";

export type FromPage =
  /** First, and again after every reload of the page. `runId`: what it showed before. */
  | { readonly type: "hello"; readonly runId: string | null }
  | { readonly type: "browseModel" }
  | { readonly type: "estimate"; readonly draftId: number; readonly draft: RunDraft }
  | { readonly type: "start"; readonly draft: RunDraft }
  | { readonly type: "pause" }
  | { readonly type: "continue" }
  | { readonly type: "cancel" }
  /** Goes on with a run that was interrupted, with the consent of the form as it is now. */
  | { readonly type: "resume"; readonly runId: string; readonly consent: Consent }
  | { readonly type: "open"; readonly runId: string }
  | { readonly type: "delete"; readonly runId: string }
  | { readonly type: "compare"; readonly runId: string }
  | { readonly type: "recommend"; readonly runId: string; readonly budgetMs: number }
  | { readonly type: "use"; readonly runId: string; readonly subject: string }
  | {
      readonly type: "export";
      readonly runId: string;
      readonly format: ExportFormat;
      /** Of the pictures in an SVG. */
      readonly figure: LatencyName;
    }
  | { readonly type: "sandboxReady"; readonly id: number; readonly isolation: Isolation }
  /** `isReduced`: it would run with reduced isolation, to which nobody has agreed. */
  | { readonly type: "sandboxFailed"; readonly id: number; readonly message: string; readonly isReduced: boolean }
  | { readonly type: "verdict"; readonly id: number; readonly verdict: Verdict }
  | { readonly type: "programFailed"; readonly id: number; readonly message: string };

type Check = (value: unknown) => boolean;
type Fields<T extends FromPage["type"]> = Readonly<
  Record<Exclude<keyof Extract<FromPage, { type: T }>, "type">, Check>
>;

const text: Check = (value) => typeof value === "string" && value.length <= 10_000;
const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const count: Check = (value) => whole(value) && value !== 0;
const among =
  (choices: readonly unknown[]): Check =>
  (value) =>
    choices.includes(value);
const flag: Check = (value) => typeof value === "boolean";
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= 100 && value.every(check);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

function record(fields: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const given = value as Record<string, unknown>;
    return Object.entries(fields).every(([name, check]) => check(given[name]));
  };
}

const consent = among(["none", "full", "reduced"]);
const draft = record({
  models: listOf(text),
  modes: listOf(among(modeChoices)),
  servers: listOf(record({ api: among(["openai", "llama-server", "ollama"]), url: text, model: text })),
  shapes: listOf(text),
  suites: listOf(among(suiteIds)),
  limit: orNull(count),
  rounds: count,
  completions: among(["ahead", "paused"]),
  consent,
} satisfies Record<keyof RunDraft, Check>);

const level = among(["full", "reduced"]);
const isolation = record({
  place: among(["panel"]),
  level,
  layers: listOf(record({ name: text, isPresent: flag, detail: text })),
  interpreter: text,
} satisfies Record<keyof Isolation, Check>);
const verdict = record({
  outcome: among(["passed", "failed", "syntax-error", "timeout", "memory", "crashed"]),
  message: orNull(text),
  wallMs: (value) => typeof value === "number" && value >= 0,
} satisfies Record<keyof Verdict, Check>);

const fromPage: { readonly [T in FromPage["type"]]: Fields<T> } = {
  hello: { runId: orNull(text) },
  browseModel: {},
  estimate: { draftId: whole, draft },
  start: { draft },
  pause: {},
  continue: {},
  cancel: {},
  resume: { runId: text, consent },
  open: { runId: text },
  delete: { runId: text },
  compare: { runId: text },
  recommend: { runId: text, budgetMs: (value) => typeof value === "number" && value > 0 },
  use: { runId: text, subject: text },
  export: { runId: text, format: among(exportFormats), figure: among(latencyFigures) },
  sandboxReady: { id: whole, isolation },
  sandboxFailed: { id: whole, message: text, isReduced: flag },
  verdict: { id: whole, verdict },
  programFailed: { id: whole, message: text },
};

/** What arrives is another program's word: nothing but the shapes above gets further. */
export function isFromPage(value: unknown): value is FromPage {
  const type = (value as { type?: unknown } | null)?.type;
  return typeof type === "string" && Object.hasOwn(fromPage, type) && record(fromPage[type as FromPage["type"]])(value);
}
