// Holds the current settings snapshot and tells the window when it changes.
import { ConfigurationTarget, workspace } from "vscode";
import type { Disposable } from "../common/dispose.ts";
import { Emitter } from "../common/emitter.ts";
import { settingsSection } from "./ids.ts";
import { readSettings, type SettingKey, type SettingProblem, type Settings } from "./settings.ts";

export interface SettingsChange {
  readonly before: Settings;
  readonly after: Settings;
}

export class SettingsStore implements Disposable {
  readonly #changed = new Emitter<SettingsChange>();
  readonly #reported = new Set<string>();
  readonly #report: (problem: SettingProblem) => void;
  readonly #subscription: Disposable;
  #current: Settings;

  readonly onDidChange = this.#changed.event;

  /** `report` gets each bad value once, also when it is read again with every other change. */
  constructor(report: (problem: SettingProblem) => void) {
    this.#report = report;
    this.#current = this.#read();
    this.#subscription = workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration(settingsSection)) return;
      const before = this.#current;
      this.#current = this.#read();
      this.#changed.fire({ before, after: this.#current });
    });
  }

  get current(): Settings {
    return this.#current;
  }

  /** Writes to the place that already holds the value, else to the user's settings. */
  async update<K extends SettingKey>(key: K, value: Settings[K]): Promise<void> {
    const configuration = workspace.getConfiguration(settingsSection);
    const places = configuration.inspect(key);
    const target = places?.workspaceValue === undefined ? ConfigurationTarget.Global : ConfigurationTarget.Workspace;
    await configuration.update(key, value, target);
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #read(): Settings {
    const configuration = workspace.getConfiguration(settingsSection);
    const { settings, problems } = readSettings((key) => configuration.get(key));
    for (const problem of problems) {
      if (this.#reported.has(problem.message)) continue;
      this.#reported.add(problem.message);
      this.#report(problem);
    }
    return settings;
  }
}
