// The editor's window as its user sees it: what is on the screen, and the keys a person would press.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const screenshotDirectory = fileURLToPath(new URL("../results/screenshots", import.meta.url));

/** A workbench on two busy cores has been seen to need more than 10 s for its first step. */
const waitMs = 30_000;

/** `<publisher>.<name>.<id of the item>`. */
const statusSelector = '[id="hotpath.hotpath.hotpath.status"]';
const quickInput = ".quick-input-widget";
const quickInputRow = `${quickInput} .monaco-list-row`;
/** The active editor, also when it is a cell of a notebook: the page holds those elsewhere. */
const activeEditor = ":is(.editor-group-container.active, .notebookOverlay):visible";
const ghostSelector = ".ghost-text-decoration, .ghost-text, .ghost-text-decoration-preview";

/** Of all windows, so that the pictures sort as they were taken. */
let screenshotCount = 0;

export class Workbench {
  page;
  /** What went wrong in the browser; explains a failure. */
  errors = [];

  /** A new tab of the browser that can reach nothing but the given server. */
  static async create(browser, server) {
    const workbench = new Workbench();
    const viewport = { width: 1280, height: 800 };
    const context = await browser.newContext({ viewport, locale: "en-US", reducedMotion: "reduce" });
    await context.route(
      (url) => url.host !== server.host && url.protocol.startsWith("http"),
      (route) => route.abort(),
    );
    workbench.page = await context.newPage();
    workbench.page.setDefaultTimeout(waitMs);
    workbench.page.on("console", (line) => line.type() === "error" && workbench.errors.push(line.text()));
    workbench.page.on("pageerror", (error) => workbench.errors.push(String(error)));
    return workbench;
  }

  /** `payload`: pairs that the workbench takes like command line options. */
  async open(server, folder, payload = []) {
    const url = new URL(server.url);
    url.searchParams.set("folder", folder);
    if (payload.length > 0) url.searchParams.set("payload", JSON.stringify(payload));
    await this.page.goto(url.href);
    await this.page.locator(".monaco-workbench").waitFor();
  }

  /** As a person does who installs an extension; what runs in the window ends. */
  async reload() {
    const reloaded = this.page.waitForEvent("load");
    await this.press("F1");
    await this.#take(">Developer: Reload Window", "Developer: Reload Window");
    await reloaded;
    await this.page.locator(".monaco-workbench").waitFor();
    await this.waitForStatus(/Hotpath/);
  }

  /** Works in a window of 1600 pixels: a walkthrough shows its pictures only where there is room. */
  async widened(work) {
    const size = this.page.viewportSize();
    await this.page.setViewportSize({ width: 1600, height: 900 });
    try {
      await work();
    } finally {
      await this.page.setViewportSize(size);
    }
  }

  async openWalkthroughStep(title) {
    await this.page.locator(".gettingStartedContainer").getByText(title, { exact: true }).click();
  }

  /** The picture of the open step lives in a page of its own. */
  walkthroughPicture() {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame").locator("svg");
  }

  /** The page of the panel opened last (a notebook has one, too): a document in a document in the workbench. */
  panel() {
    const outer = this.page.locator("iframe.webview.ready").filter({ visible: true }).last();
    return outer.contentFrame().locator("#active-frame").contentFrame();
  }

  async closeEditor(title) {
    const tab = this.page.locator(".tabs-container .tab", { hasText: title });
    await tab.click({ button: "middle" });
    await tab.waitFor({ state: "detached" });
  }

  async close() {
    await this.page.context().close();
  }

  async screenshot(name) {
    mkdirSync(screenshotDirectory, { recursive: true });
    const number = String(++screenshotCount).padStart(2, "0");
    await this.page.screenshot({ path: path.join(screenshotDirectory, `${number}-${name}.png`) });
  }

  // Files and typing

  async openFile(name) {
    await this.#explorerRow(name).dblclick();
    await this.editor(name).locator(".view-lines").waitFor();
  }

  /** Shows a notebook, whose cells are editors of their own. */
  async openNotebook(name) {
    await this.#explorerRow(name).dblclick();
    await this.page.locator(".notebookOverlay .view-lines").first().waitFor();
  }

  #explorerRow(name) {
    const label = this.page.locator(".label-name").getByText(name, { exact: true });
    return this.page.locator(".explorer-folders-view .monaco-list-row", { has: label });
  }

  editor(name) {
    return this.page.locator(`.editor-instance .monaco-editor[data-uri$="/${name}"]`);
  }

  /** Puts the cursor at the end of the active editor. */
  async moveToEnd() {
    await this.page.locator(`${activeEditor} .view-lines`).first().click();
    await this.page.keyboard.press("Control+End");
  }

  /** Puts the cursor of the active editor there; both count from 1. */
  async goTo(line, column) {
    await this.page.locator(`${activeEditor} .view-lines`).first().click();
    await this.press("Control+G");
    await this.page.locator(`${quickInput} input`).first().fill(`:${line}:${column}`);
    await this.press("Enter");
    await this.page.locator(quickInput).waitFor({ state: "hidden" });
  }

  async type(text) {
    await this.page.keyboard.type(text, { delay: 30 });
  }

  async press(key) {
    await this.page.keyboard.press(key);
  }

  async save(name) {
    await this.press("Control+S");
    await this.page.locator(".tab.active:not(.dirty)", { hasText: name }).waitFor();
  }

  // Ghost text

  /** The ghost text on the screen; "" when there is none. Text that an auto-closed bracket splits is joined. */
  async ghostText() {
    return shown((await this.page.locator(ghostSelector).allTextContents()).join(""));
  }

  async waitForGhostText() {
    await this.page.locator(ghostSelector).first().waitFor();
    return this.ghostText();
  }

  async waitForExactGhostText(expected) {
    await until(
      async () => (await this.ghostText()) === expected,
      () => `the ghost text ${JSON.stringify(expected)}`,
    );
  }

  async waitForGhostTextLike(pattern) {
    return this.#match(() => this.ghostText(), pattern, "the ghost text");
  }

  /** The item of the suggestion list that Tab would take. */
  async waitForSelectedSuggestion(label) {
    const row = this.page.locator(".suggest-widget.visible .monaco-list-row.focused .label-name");
    await row.getByText(label, { exact: true }).waitFor();
  }

  /** The last line of the active editor as it is drawn, ghost text included. */
  async lastLine() {
    return (await this.#drawnLines()).at(-1);
  }

  /** From top to bottom; the page holds them in another order. */
  async #drawnLines() {
    const lines = await this.page
      .locator(`${activeEditor} .view-line`)
      .evaluateAll((all) => all.map((line) => [line.getBoundingClientRect().top, line.textContent]));
    return lines.sort(([a], [b]) => a - b).map(([, text]) => shown(text));
  }

  // Commands, status bar, lists

  /** Runs a command through the command palette, by its full title. `leadsTo`: title of the list of choices it opens. */
  async command(title, { leadsTo } = {}) {
    await this.press("F1");
    await this.#pick(`>${title}`, title, leadsTo);
  }

  /** Takes a row of the open list of choices. */
  async choose(label, { leadsTo } = {}) {
    await this.#pick(label, label, leadsTo);
  }

  async #pick(filter, label, leadsTo) {
    await this.#take(filter, label);
    if (leadsTo === undefined) await this.page.locator(quickInput).waitFor({ state: "hidden" });
    else await this.#list(leadsTo).waitFor();
  }

  async #take(filter, label) {
    await this.page.locator(`${quickInput} input`).first().fill(filter);
    // The list is drawn anew while it is filtered, so a click may miss; the best match gets the focus.
    const best = this.page.locator(`${quickInputRow}.focused .label-name`);
    await best.getByText(label, { exact: true }).waitFor();
    await this.press("Enter");
  }

  #list(title) {
    return this.page.locator(`${quickInput} .quick-input-title`).getByText(title, { exact: true });
  }

  /** The quick menu, as a click on the status bar opens it. */
  async openMenu() {
    await this.statusItem().click();
    await this.#list("Hotpath").waitFor();
  }

  /** Types a path into the editor's own file dialog and takes it. */
  async enterPath(file) {
    const row = (name) => this.page.locator(`${quickInputRow} .label-name`).getByText(name, { exact: true });
    await row("..").waitFor(); // The dialog has shown its first folder and takes keys from now on.
    await this.page.locator(`${quickInput} input`).first().fill(file);
    await row(path.basename(file)).waitFor();
    await this.press("Enter");
    await this.page.locator(quickInput).waitFor({ state: "hidden" });
  }

  /** Types the path of a file that is to be made into the editor's own file dialog and takes it. */
  async enterNewPath(file) {
    const row = this.page.locator(`${quickInputRow} .label-name`).getByText("..", { exact: true });
    await row.waitFor(); // The dialog has shown its first folder and takes keys from now on.
    await this.page.locator(`${quickInput} input`).first().fill(file);
    await this.press("Enter");
    await this.page.locator(quickInput).waitFor({ state: "hidden" });
  }

  /** Saves under the name that the editor's own file dialog offers, and gives the path. */
  async saveAsOffered(pattern) {
    const input = this.page.locator(`${quickInput} input`).first();
    const file = await this.#match(() => input.inputValue(), pattern, "the file dialog");
    await this.press("Enter");
    await this.page.locator(quickInput).waitFor({ state: "hidden" });
    return file;
  }

  /** Takes the folder that the editor's own dialog offers. */
  async takeOfferedFolder() {
    const row = this.page.locator(`${quickInputRow} .label-name`).getByText("..", { exact: true });
    await row.waitFor(); // The dialog has shown the folder and takes keys from now on.
    await this.press("Enter");
    await this.page.locator(quickInput).waitFor({ state: "hidden" });
  }

  /** The labels of the open list of choices. */
  async choices() {
    const rows = this.page.locator(quickInputRow);
    await rows.first().waitFor();
    return (await rows.allTextContents()).map(shown);
  }

  /** The row of the open list that carries the check mark. */
  async checkedChoice() {
    const mark = this.page.locator(".label-name .codicon-check");
    return shown(await this.page.locator(quickInputRow, { has: mark }).textContent());
  }

  /** The text of the active editor, once it matches. */
  async waitForActiveText(pattern) {
    return this.#match(async () => (await this.#drawnLines()).join("\n"), pattern, "the active editor");
  }

  /** Waits for a message box. */
  async notification(pattern) {
    await this.page.locator(".notification-toast", { hasText: pattern }).first().waitFor();
  }

  async dismissChoices() {
    await this.press("Escape");
    await this.page.locator(quickInput).waitFor({ state: "hidden" });
  }

  statusItem() {
    return this.page.locator(statusSelector);
  }

  async waitForStatus(pattern) {
    await this.page.locator(statusSelector, { hasText: pattern }).waitFor();
    return this.statusText();
  }

  async statusText() {
    return shown(await this.statusItem().textContent());
  }

  /** What the mouse over the status bar item shows. */
  async statusHover() {
    await this.page.mouse.move(640, 400); // From elsewhere, so that it counts as entering.
    await this.statusItem().hover();
    const hover = this.page.locator(".workbench-hover-container .monaco-hover", { hasText: "Hotpath" });
    await hover.waitFor();
    return shown(await hover.textContent());
  }

  async waitForStatusHover(pattern) {
    return this.#match(() => this.statusHover(), pattern, "what the mouse over the status bar shows");
  }

  /** Watches every frame that is drawn; the function it returns ends that and gives the ghost texts, in order. */
  async recordGhostText() {
    await this.page.evaluate(watchFrames, ghostSelector);
    return async () => (await this.page.evaluate(() => window.hotpathFrames.stop())).map(shown);
  }

  /** The text, once it matches. */
  async #match(read, pattern, what) {
    let text = "";
    await until(
      async () => {
        text = await read();
        return pattern.test(text);
      },
      () => `${pattern} in ${what}, which is ${JSON.stringify(text)}`,
    );
    return text;
  }
}

/** `describe` is asked when it took too long. */
async function until(isTrue, describe) {
  const deadline = performance.now() + waitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited ${waitMs} ms for ${describe()}`);
    await delay(50);
  }
}

/** The editor draws blanks as no-break spaces. */
function shown(text) {
  return text.replaceAll("\u00a0", " ");
}

/** Runs in the page. */
function watchFrames(selector) {
  const seen = [];
  let isWatching = true;
  const look = () => {
    const text = [...document.querySelectorAll(selector)].map((part) => part.textContent).join("");
    if (seen.at(-1) !== text) seen.push(text);
    if (isWatching) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  window.hotpathFrames = {
    stop() {
      isWatching = false;
      return seen;
    },
  };
}
