import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { defaultPreferences } from "../../../src/completion/composeRequest.ts";
import { isLanguageEnabled, readSettings, type SettingKey, settingRules } from "../../../src/editor/settings.ts";

interface ManifestSetting {
  readonly default: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly markdownDescription: string;
  readonly scope: string;
}

const manifest = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
const properties: Record<string, ManifestSetting> = manifest.contributes.configuration.properties;

function read(values: Partial<Record<SettingKey, unknown>>) {
  return readSettings((key) => values[key]);
}

describe("settings and manifest", () => {
  it("have the defaults that recorded typing is replayed with", () => {
    expect(read({}).settings).toMatchObject(defaultPreferences);
  });

  const keys = Object.keys(settingRules) as SettingKey[];

  it("name the same keys in the same order", () => {
    expect(Object.keys(properties)).toEqual(keys.map((key) => `hotpath.${key}`));
  });

  it.each(keys)("agree on the default of %s", (key) => {
    expect(properties[`hotpath.${key}`]?.default).toEqual(settingRules[key].fallback);
  });

  it.each(keys)("agree on the limits of %s", (key) => {
    const property = properties[`hotpath.${key}`];
    const { accepts } = settingRules[key];
    for (const value of [property?.minimum, property?.maximum, ...(property?.enum ?? [])]) {
      if (value !== undefined) expect(accepts(value), `${key} = ${value}`).toBe(true);
    }
    if (property?.minimum !== undefined) expect(accepts(property.minimum - 1)).toBe(false);
    if (property?.maximum !== undefined) expect(accepts(property.maximum + 1)).toBe(false);
    if (property?.enum) expect(accepts("something else")).toBe(false);
  });

  it.each(keys)("say when %s applies and give it a scope", (key) => {
    const property = properties[`hotpath.${key}`];
    expect(property?.markdownDescription).toMatch(/_Applies at once(; the model is loaded again)?\._$/);
    expect(["window", "machine"]).toContain(property?.scope);
  });
});

describe("readSettings", () => {
  it("gives the defaults when nothing is set", () => {
    const { settings, problems } = read({});
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ enabled: true, model: "", device: "auto", delay: -1, maxTokens: 64 });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it("keeps values within their limits", () => {
    const { settings, problems } = read({ threads: 8, temperature: 0.5, statusBar: "short", model: "/models/a.gguf" });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ threads: 8, temperature: 0.5, statusBar: "short", model: "/models/a.gguf" });
  });

  it.each([
    ["threads", -1, "hotpath.threads is -1 and must be a whole number from 0 to 256. Using 0 instead."],
    ["threads", 1.5, "hotpath.threads is 1.5 and must be a whole number from 0 to 256. Using 0 instead."],
    ["threads", "8", 'hotpath.threads is "8" and must be a whole number from 0 to 256. Using 0 instead.'],
    ["temperature", 3, "hotpath.temperature is 3 and must be a number from 0 to 2. Using 0 instead."],
    ["device", "gpu", 'hotpath.device is "gpu" and must be auto or cpu. Using "auto" instead.'],
    ["enabled", "yes", 'hotpath.enabled is "yes" and must be true or false. Using true instead.'],
    [
      "model",
      "a.gguf",
      'hotpath.model is "a.gguf" and must be the full path of a .gguf file, or empty. Using "" instead.',
    ],
    [
      "languages",
      { python: 1 },
      'hotpath.languages is {"python":1} and must be an object of language ids with true or false. Using {} instead.',
    ],
  ] as const)("replaces and reports %s when it is %j", (key, value, message) => {
    const { settings, problems } = read({ [key]: value });
    expect(problems).toEqual([{ key, message }]);
    expect(settings[key]).toEqual(settingRules[key].fallback);
  });

  it("reports each bad value when several are bad", () => {
    const { problems } = read({ threads: Number.NaN, languages: [] });
    expect(problems.map((problem) => problem.key)).toEqual(["languages", "threads"]);
  });
});

describe("isLanguageEnabled", () => {
  it("is true when the language is not named", () => {
    const { settings } = read({ languages: { markdown: false, python: true } });
    expect(["markdown", "python", "c"].map((id) => isLanguageEnabled(settings, id))).toEqual([false, true, true]);
  });
});
