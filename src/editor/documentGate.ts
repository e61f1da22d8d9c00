// Decides whether a document may be completed at all, before any of its text is read.
import { type TextDocument, type Uri, workspace } from "vscode";
import { isHugeFile, isSecretFile } from "../completion/secrets.ts";
import { type DocumentSkip, decideDocument, type TriggerKind } from "../completion/trigger.ts";
import type { IgnoreFiles } from "./ignoreFiles.ts";
import { isLanguageEnabled } from "./settings.ts";
import type { SettingsStore } from "./settingsStore.ts";
import type { Snooze } from "./snooze.ts";

export class DocumentGate {
  readonly #settings: SettingsStore;
  readonly #snooze: Snooze;
  readonly #ignoreFiles: IgnoreFiles;

  constructor(settings: SettingsStore, snooze: Snooze, ignoreFiles: IgnoreFiles) {
    this.#settings = settings;
    this.#snooze = snooze;
    this.#ignoreFiles = ignoreFiles;
  }

  async skipReason(document: TextDocument, line: number, kind: TriggerKind): Promise<DocumentSkip | null> {
    const settings = this.#settings.current;
    const file = fileOf(document);
    const situation = {
      kind,
      isOn: settings.enabled,
      isLanguageOn: isLanguageEnabled(settings, document.languageId),
      isSnoozed: this.#snooze.until !== null,
      scheme: document.uri.scheme,
      isSecret: isSecretFile(file.path),
      isIgnored: false,
      isHuge: isHuge(document, line),
    };
    const reason = decideDocument(situation);
    if (reason || !settings.ignoreFiles || document.isUntitled) return reason;
    return decideDocument({ ...situation, isIgnored: await this.#ignoreFiles.isIgnored(file) });
  }
}

/** A notebook cell lives in its notebook's file. */
function fileOf(document: TextDocument): Uri {
  if (document.uri.scheme !== "vscode-notebook-cell") return document.uri;
  const notebook = workspace.notebookDocuments.find(({ uri }) => uri.path === document.uri.path);
  return notebook?.uri ?? document.uri.with({ scheme: "file", fragment: "" });
}

function isHuge(document: TextDocument, line: number): boolean {
  const end = document.lineAt(document.lineCount - 1).range.end;
  return isHugeFile(document.offsetAt(end), document.lineAt(line).range.end.character);
}
