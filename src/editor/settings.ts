// The settings as one frozen snapshot. package.json is the source; a test holds this table against it.
import { isAbsolute } from "node:path";
import { modeChoices } from "../protocol/model.ts";

interface Rule<T> {
  readonly fallback: T;
  readonly accepts: (value: unknown) => boolean;
  /** Completes "must be …". */
  readonly expected: string;
}

function flag(fallback: boolean): Rule<boolean> {
  return { fallback, accepts: (value) => typeof value === "boolean", expected: "true or false" };
}

function oneOf<const T extends string>(fallback: T, ...others: T[]): Rule<T> {
  const choices: readonly unknown[] = [fallback, ...others];
  return { fallback, accepts: (value) => choices.includes(value), expected: choices.join(" or ") };
}

function decimal(fallback: number, minimum: number, maximum: number): Rule<number> {
  const accepts = (value: unknown) => typeof value === "number" && value >= minimum && value <= maximum;
  return { fallback, accepts, expected: `a number from ${minimum} to ${maximum}` };
}

function integer(fallback: number, minimum: number, maximum: number): Rule<number> {
  const { accepts } = decimal(fallback, minimum, maximum);
  return {
    fallback,
    accepts: (value) => Number.isInteger(value) && accepts(value),
    expected: `a whole number from ${minimum} to ${maximum}`,
  };
}

/** 0 leaves the choice to Hotpath. */
function zeroOr(minimum: number, maximum: number): Rule<number> {
  const inRange = integer(0, minimum, maximum);
  return {
    fallback: 0,
    accepts: (value) => value === 0 || inRange.accepts(value),
    expected: `0 or ${inRange.expected}`,
  };
}

const modelPath: Rule<string> = {
  fallback: "",
  accepts: (value) => typeof value === "string" && (value === "" || isAbsolute(value)),
  expected: "the full path of a .gguf file, or empty",
};

const languageSwitches: Rule<Readonly<Record<string, boolean>>> = {
  fallback: {},
  accepts: (value) =>
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((entry) => typeof entry === "boolean"),
  expected: "an object of language ids with true or false",
};

export const settingRules = {
  enabled: flag(true),
  languages: languageSwitches,
  model: modelPath,
  device: oneOf("auto", "cpu"),
  gpuLayers: integer(-1, -1, 1000),
  threads: integer(0, 0, 256),
  mode: oneOf(...modeChoices),
  contextLength: zeroOr(256, 1_048_576),
  maxPromptTokens: zeroOr(64, 131_072),
  maxTokens: integer(64, 1, 2048),
  maxLines: integer(0, 0, 100),
  temperature: decimal(0, 0, 2),
  delay: integer(-1, -1, 1000),
  idleUnloadMinutes: decimal(10, 0, 1440),
  ignoreFiles: flag(true),
  statusBar: oneOf("full", "short"),
} as const satisfies Record<string, Rule<unknown>>;

export type SettingKey = keyof typeof settingRules;
export type Settings = { readonly [K in SettingKey]: (typeof settingRules)[K]["fallback"] };

export interface SettingProblem {
  readonly key: SettingKey;
  /** A whole sentence with the actual value and the one used instead. */
  readonly message: string;
}

/** Reads all settings through `get`. A value that cannot be used is replaced by its default and reported. */
export function readSettings(get: (key: SettingKey) => unknown): { settings: Settings; problems: SettingProblem[] } {
  const problems: SettingProblem[] = [];
  const values: Partial<Record<SettingKey, unknown>> = {};
  for (const [key, rule] of Object.entries(settingRules) as [SettingKey, Rule<unknown>][]) {
    const value = get(key) ?? rule.fallback;
    const isUsable = rule.accepts(value);
    values[key] = isUsable ? value : rule.fallback;
    if (!isUsable) problems.push({ key, message: describeProblem(key, value, rule) });
  }
  return { settings: Object.freeze(values as Settings), problems };
}

function describeProblem(key: SettingKey, value: unknown, rule: Rule<unknown>): string {
  const [actual, used] = [JSON.stringify(value), JSON.stringify(rule.fallback)];
  return `hotpath.${key} is ${actual} and must be ${rule.expected}. Using ${used} instead.`;
}

export function isLanguageEnabled(settings: Settings, languageId: string): boolean {
  return settings.languages[languageId] ?? true;
}
