// The starter model, one used before, or any local file; checked before the setting changes.
import { homedir } from "node:os";
import { basename, dirname } from "node:path";
import { ProgressLocation, type QuickPickItem, QuickPickItemKind, Uri, window } from "vscode";
import { AppError } from "../common/errors.ts";
import type { Engine } from "../engine/engine.ts";
import { addRecentModel, readRecentModels } from "../models/recentModels.ts";
import { starterDescription } from "../models/starterModel.ts";
import type { ModelMetadata } from "../protocol/model.ts";
import { toAbortSignal } from "./abortSignal.ts";
import { requireFim } from "./modelSession.ts";
import type { SettingsStore } from "./settingsStore.ts";

export class ModelChooser {
  readonly #engine: Engine;
  readonly #settings: SettingsStore;

  constructor(engine: Engine, settings: SettingsStore) {
    this.#engine = engine;
    this.#settings = settings;
  }

  /** Rejects with the reason when the chosen file cannot complete code; the setting is then as before. */
  async choose(): Promise<void> {
    const path = await this.#pick();
    if (path === undefined) return;
    if (path !== "") {
      const model = await this.#inspect(path);
      requireFim(model);
      addRecentModel(path);
    }
    await this.#settings.update("model", path);
  }

  /** A path, "" for the starter model, undefined when the user changed their mind. */
  async #pick(): Promise<string | undefined> {
    const current = this.#settings.current.model;
    const mark = (path: string) => (path === current ? "$(check) " : "");
    const ofFile = (path: string) => ({ label: `${mark(path)}${basename(path)}`, description: dirname(path), path });
    const starter = { label: `${mark("")}Starter`, detail: starterDescription, path: "" };
    const others = readRecentModels().filter((path) => path !== current);
    const rows: (QuickPickItem & { readonly path?: string })[] = [
      // Enter takes the first row: it must not change the model by accident.
      ...(current === "" ? [starter] : [ofFile(current), starter]),
      { label: "$(folder-opened) Browse…", detail: "Any GGUF code model on this machine" },
      ...(others.length > 0 ? [{ label: "recently used", kind: QuickPickItemKind.Separator }] : []),
      ...others.map(ofFile),
    ];
    const chosen = await window.showQuickPick(rows, { title: "Choose Model", matchOnDescription: true });
    return chosen && chosen.path === undefined ? browse() : chosen?.path;
  }

  async #inspect(path: string): Promise<ModelMetadata> {
    const title = `Reading ${basename(path)}`;
    return window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, (_, token) =>
      this.#engine.inspect(path, toAbortSignal(token)),
    );
  }
}

async function browse(): Promise<string | undefined> {
  const [file] =
    (await window.showOpenDialog({
      title: "Choose a GGUF code model",
      openLabel: "Use This Model",
      defaultUri: Uri.file(homedir()),
      filters: { "GGUF models": ["gguf"] },
    })) ?? [];
  if (file && file.scheme !== "file") {
    throw new AppError("file/unreadable", `${file.toString()} is not on the machine that runs the engine`);
  }
  return file?.fsPath;
}
