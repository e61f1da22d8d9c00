// Records how somebody types in the active editor, for the benchmark to replay.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import {
  env,
  StatusBarAlignment,
  type TextDocument,
  type TextEditor,
  ThemeColor,
  Uri,
  version,
  window,
  workspace,
} from "vscode";
import { ownTracesFolder } from "../../benchmark/suites/keystrokes/keystrokes.ts";
import { TraceRecorder } from "../../benchmark/suites/keystrokes/recorder.ts";
import { longestTraceMs, renderTrace } from "../../benchmark/suites/keystrokes/trace.ts";
import { type Disposable, DisposableStore } from "../../common/dispose.ts";
import { AppError } from "../../common/errors.ts";
import { reasonOf } from "../changeTracker.ts";
import { commandIds } from "../ids.ts";
import { indentationOf } from "../provider.ts";

interface Recording {
  readonly recorder: TraceRecorder;
  readonly languageId: string;
  /** What listens and shows that it does. */
  readonly owned: DisposableStore;
}

export class TypingRecorder implements Disposable {
  readonly #onFailure: (thrown: unknown) => void;
  #recording: Recording | null = null;

  /** `onFailure` gets what goes wrong when a recording ends by itself. */
  constructor(onFailure: (thrown: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Starts a recording, or ends the one that runs and asks where to save it. */
  async toggle(): Promise<void> {
    const recording = this.#recording;
    if (recording) return this.#finish(recording);
    const editor = window.activeTextEditor;
    if (editor) this.#start(editor);
    else window.showInformationMessage("Hotpath: open a file first; what is typed there is recorded.");
  }

  dispose(): void {
    this.#recording?.owned.dispose();
    this.#recording = null;
  }

  #start(editor: TextEditor): void {
    const { document } = editor;
    const owned = new DisposableStore();
    const parts = {
      languageId: document.languageId,
      indentation: indentationOf(editor),
      initialText: document.getText(),
    };
    const recorder = new TraceRecorder(parts, performance.now());
    this.#recording = { recorder, languageId: document.languageId, owned };
    owned.add(showThatItRecords());
    owned.add(follow(document, recorder));
    owned.add(workspace.onDidCloseTextDocument((closed) => closed === document && this.#finishByItself()));
    const timer = setTimeout(() => this.#finishByItself(), longestTraceMs);
    owned.add({ dispose: () => clearTimeout(timer) });
  }

  #finishByItself(): void {
    this.toggle().catch(this.#onFailure);
  }

  async #finish({ recorder, languageId, owned }: Recording): Promise<void> {
    owned.dispose();
    this.#recording = null;
    if (recorder.keystrokes === 0) {
      window.showInformationMessage("Hotpath: nothing was typed, so nothing was recorded.");
      return;
    }
    const on = new Date().toISOString().slice(0, 10);
    await mkdir(ownTracesFolder(), { recursive: true });
    const file = await window.showSaveDialog({
      title: "Save Recorded Typing (holds the text of your file)",
      defaultUri: Uri.file(path.join(ownTracesFolder(), `${languageId}-${on}.json`)),
      filters: { "Typing trace": ["json"] },
    });
    if (!file) return;
    const how = `typed by hand in ${env.appName} ${version}`;
    const trace = recorder.finish({ by: "person", how, on });
    await write(file, renderTrace(trace));
    const shown = `${recorder.keystrokes} keystrokes saved to ${file.fsPath}`;
    window.showInformationMessage(`Hotpath: ${shown}. The benchmark replays what lies in ${ownTracesFolder()}.`);
  }
}

function showThatItRecords(): Disposable {
  const item = window.createStatusBarItem("hotpath.recording", StatusBarAlignment.Right, 101);
  item.name = "Hotpath Recording";
  item.text = "$(record) Recording typing";
  item.tooltip = "Click to end the recording. It ends by itself after two minutes.";
  item.command = commandIds.recordKeystrokes;
  item.backgroundColor = new ThemeColor("statusBarItem.warningBackground");
  item.show();
  return item;
}

function follow(document: TextDocument, recorder: TraceRecorder): Disposable {
  const owned = new DisposableStore();
  owned.add(
    workspace.onDidChangeTextDocument((event) => {
      if (event.document !== document) return;
      const changes = event.contentChanges.map(({ rangeOffset, rangeLength, text }) => {
        return { offset: rangeOffset, removed: rangeLength, text };
      });
      recorder.change(changes, reasonOf(event.reason), performance.now());
    }),
  );
  owned.add(
    window.onDidChangeTextEditorSelection(({ textEditor, selections }) => {
      const cursor = selections[0]?.active;
      if (textEditor.document === document && cursor) {
        recorder.moveCursor(document.offsetAt(cursor), performance.now());
      }
    }),
  );
  return owned;
}

async function write(file: Uri, text: string): Promise<void> {
  try {
    await workspace.fs.writeFile(file, new TextEncoder().encode(text));
  } catch (error) {
    throw new AppError("file/unwritable", `${file.fsPath}: ${(error as Error).message}`, {}, error);
  }
}
