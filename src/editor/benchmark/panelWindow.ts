// The panel as a window of the editor: opened, hidden, closed, restored; and the link to its page.
import { randomBytes } from "node:crypto";
import { Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { abortable } from "../../common/cancellation.ts";
import { type Disposable, DisposableStore } from "../../common/dispose.ts";
import { Emitter } from "../../common/emitter.ts";
import { panelHtml } from "../../panel/html.ts";
import { type FromPage, isFromPage, type ToPage } from "../../panel/protocol.ts";
import { benchmarkViewType } from "../ids.ts";
import type { PageLink } from "./panelSandbox.ts";

export class PanelWindow implements PageLink, Disposable {
  readonly #folder: Uri;
  readonly #owned = new DisposableStore();
  readonly #message = new Emitter<FromPage>();
  readonly #opened = new Emitter<void>();
  readonly #closed = new Emitter<void>();
  readonly #onMissed: (isMissed: boolean) => void;
  #panel: WebviewPanel | null = null;
  /** Its script has said hello; what is posted before is lost. */
  #isListening = false;

  readonly onMessage = this.#message.event;
  readonly onDidClose = this.#closed.event;

  /** `folder`: of the product. `onMissed` hears when something waits for the panel to be opened, and when it waits no more. */
  constructor(folder: Uri, onMissed: (isMissed: boolean) => void) {
    this.#folder = Uri.joinPath(folder, "dist", "panel");
    this.#onMissed = onMissed;
    const restore = async (panel: WebviewPanel) => this.#take(panel);
    this.#owned.add(window.registerWebviewPanelSerializer(benchmarkViewType, { deserializeWebviewPanel: restore }));
  }

  /** What is posted arrives. */
  get isListening(): boolean {
    return this.#isListening;
  }

  get isVisible(): boolean {
    return this.#panel?.visible === true;
  }

  reveal(): void {
    if (this.#panel) {
      this.#panel.reveal();
      return;
    }
    // Kept while it is hidden: programs of models run in its workers, which end with the page.
    const options = { enableScripts: true, retainContextWhenHidden: true, localResourceRoots: [this.#folder] };
    this.#take(window.createWebviewPanel(benchmarkViewType, "Hotpath Benchmark", ViewColumn.Active, options));
  }

  post(message: ToPage): void {
    if (this.#isListening) void this.#panel?.webview.postMessage(message);
  }

  async whenOpen(signal: AbortSignal): Promise<void> {
    if (this.#isListening) return;
    this.#onMissed(true);
    let listening: Disposable | undefined;
    const opened = new Promise<void>((resolve) => {
      listening = this.#opened.event(resolve);
    });
    try {
      await abortable(opened, signal);
    } finally {
      listening?.dispose();
      this.#onMissed(false);
    }
  }

  dispose(): void {
    this.#owned.dispose();
  }

  #take(panel: WebviewPanel): void {
    this.#panel?.dispose();
    this.#panel = panel;
    panel.webview.options = { enableScripts: true, localResourceRoots: [this.#folder] };
    panel.webview.onDidReceiveMessage((received: unknown) => this.#receive(received));
    panel.onDidDispose(() => {
      if (this.#panel === panel) this.#lost();
    });
    const uri = (name: string) => panel.webview.asWebviewUri(Uri.joinPath(this.#folder, name)).toString();
    const nonce = randomBytes(18).toString("base64url");
    panel.webview.html = panelHtml({ nonce, scriptUri: uri("main.js"), styleUri: uri("style.css") });
  }

  #receive(received: unknown): void {
    if (!isFromPage(received)) return;
    if (received.type === "hello") {
      // A page that loads anew has lost its workers.
      if (this.#isListening) this.#closed.fire();
      this.#isListening = true;
      this.#message.fire(received);
      this.#opened.fire();
    } else this.#message.fire(received);
  }

  #lost(): void {
    this.#panel = null;
    this.#isListening = false;
    this.#closed.fire();
  }
}
