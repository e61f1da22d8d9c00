// The form for a new run: what stands in it at first, and what can be chosen together.
import { defaultRounds } from "../benchmark/suite.ts";
import type { ModeChoice } from "../protocol/model.ts";
import type { Consent, RunDraft, StartChoices, SuiteOffer } from "./protocol.ts";

export const modeLabels: Readonly<Record<ModeChoice, string>> = {
  auto: "auto: the faster of dense and exact",
  dense: "dense: every neuron",
  exact: "exact: hot/cold, same result",
  predicted: "predicted: hot/cold, approximate",
  threshold: "threshold: hot/cold, approximate",
};

/** The model in use, dense and as it would be chosen, on the suites that need nothing else. */
export function firstDraft({ models, suites, code }: StartChoices): RunDraft {
  const active = models.find(({ isActive }) => isActive);
  return {
    models: active ? [active.path] : [],
    modes: ["auto"],
    servers: [],
    shapes: [],
    suites: suites.filter(({ id }) => id === "latency").map(({ id }) => id),
    limit: 20,
    rounds: defaultRounds,
    completions: "ahead",
    consent: code.consent,
  };
}

export function toggled<T>(list: readonly T[], item: T, isIn: boolean): T[] {
  const others = list.filter((other) => other !== item);
  return isIn ? [...others, item] : others;
}

/** undefined: no whole number of at least 1 that can be counted to. */
export function countIn(text: string): number | undefined {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

export function runsCode({ suites }: Pick<RunDraft, "suites">, offers: readonly SuiteOffer[]): boolean {
  return offers.some(({ id, runsCode }) => runsCode && suites.includes(id));
}

/** Why this cannot start, before the host is asked; null: it can. */
export function problemOf(draft: RunDraft, { suites, code }: StartChoices): string | null {
  const hasModels = draft.models.length + draft.servers.length > 0;
  if (!hasModels && draft.shapes.length === 0) return "Choose a model, a server or a size.";
  if (draft.models.length + draft.shapes.length > 0 && draft.modes.length === 0) return "Choose a mode.";
  if (draft.suites.length === 0) return "Choose a suite.";
  const chosen = suites.filter(({ id }) => draft.suites.includes(id));
  if (draft.shapes.length > 0 && !chosen.some(({ subjects }) => subjects !== "models")) {
    return "Sizes need the size sweep; the other suites want models that were trained.";
  }
  if (hasModels && !chosen.some(({ subjects }) => subjects !== "shapes")) {
    return "The size sweep is for sizes; choose another suite for models and servers.";
  }
  if (!runsCode(draft, suites)) return null;
  if (code.level === "unavailable") return `Suites that run code are not possible here: ${code.detail}`;
  return isConsentEnough(draft.consent, code.level) ? null : "Allow running code, or leave out the suites that do.";
}

export function isConsentEnough(given: Consent, level: "full" | "reduced"): boolean {
  return given === "reduced" || (given === "full" && level === "full");
}
