// The commands of the manifest: their table, and the small ones themselves.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { commands, Position, Selection, window, workspace } from "vscode";
import { type Disposable, DisposableStore } from "../common/dispose.ts";
import { type AppError, isCancelled, toAppError } from "../common/errors.ts";
import { sampleFile } from "../common/sampleFile.ts";
import { type CommandName, commandIds, extensionId, walkthroughId } from "./ids.ts";
import { isLanguageEnabled } from "./settings.ts";
import type { SettingsStore } from "./settingsStore.ts";

export type CommandTable = Readonly<Record<CommandName, () => unknown>>;

/** `onFailure` gets what a command throws; the user asked for it, so they are told every time. */
export function registerCommands(table: CommandTable, onFailure: (error: AppError) => void): Disposable {
  const registered = new DisposableStore();
  for (const [name, run] of Object.entries(table) as [CommandName, () => unknown][]) {
    const guarded = async () => {
      try {
        await run();
      } catch (thrown) {
        if (!isCancelled(thrown)) onFailure(toAppError(thrown));
      }
    };
    registered.add(commands.registerCommand(commandIds[name], guarded));
  }
  return registered;
}

export function toggleEverywhere(settings: SettingsStore): Promise<void> {
  return settings.update("enabled", !settings.current.enabled);
}

export async function toggleLanguage(settings: SettingsStore): Promise<void> {
  const languageId = window.activeTextEditor?.document.languageId;
  if (languageId === undefined) {
    window.showInformationMessage("Hotpath: open a file first; the switch is for its language.");
    return;
  }
  const { current } = settings;
  const { [languageId]: _, ...others } = current.languages;
  const isOn = isLanguageEnabled(current, languageId);
  await settings.update("languages", isOn ? { ...others, [languageId]: false } : others);
}

export async function triggerCompletion(): Promise<void> {
  await commands.executeCommand("editor.action.inlineSuggest.trigger");
}

export async function openSettings(): Promise<void> {
  await commands.executeCommand("workbench.action.openSettings", `@ext:${extensionId}`);
}

export async function showWalkthrough(): Promise<void> {
  await commands.executeCommand("workbench.action.openWalkthrough", `${extensionId}#${walkthroughId}`, false);
}

/** A new file with the cursor where the starter model has something to say. */
export async function openSample(productFolder: string): Promise<void> {
  const text = await readFile(path.join(productFolder, sampleFile.path), "utf8");
  // A copy: the file itself belongs to the extension.
  const document = await workspace.openTextDocument({ language: "python", content: text });
  const editor = await window.showTextDocument(document, { preview: false });
  const cursor = new Position(sampleFile.line - 1, sampleFile.column - 1);
  editor.selection = new Selection(cursor, cursor);
  await triggerCompletion();
}
