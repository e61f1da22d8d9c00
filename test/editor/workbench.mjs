// The editor's window as its user sees it: what is on the screen, and the keys a person would press.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const screenshotDirectory = fileURLToPath(new URL("../results/screenshots", import.meta.url));

/** A workbench on two busy cores has been seen to need more than 10 s for its first step. */
const waitMs = 30_000;

/** `<publisher>.<name>.<id of the item>`. */
const statusSelector = '[id="hotpath.hotpath.hotpath.status"]';
const quickInput = ".quick-input-widget";
const ghostSelector = ".ghost-text-decoration, .ghost-text, .ghost-text-decoration-preview";

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

  async screenshot(name) {
    mkdirSync(screenshotDirectory, { recursive: true });
    await this.page.screenshot({ path: path.join(screenshotDirectory, `${name}.png`) });
  }

  // Files and typing

  async openFile(name) {
    const row = this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: name });
    await row.dblclick();
    await this.editor(name).locator(".view-lines").waitFor();
  }

  editor(name) {
    return this.page.locator(`.editor-instance .monaco-editor[data-uri$="/${name}"]`);
  }

  /** Puts the cursor at the end of the active editor. */
  async moveToEnd() {
    await this.page.locator(".editor-group-container.active .view-lines").first().click();
    await this.page.keyboard.press("Control+End");
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
    await until(async () => (await this.ghostText()) === expected, `the ghost text ${JSON.stringify(expected)}`);
  }

  /** The last line of the active editor as it is drawn, ghost text included. */
  async lastLine() {
    const lines = this.page.locator(".editor-group-container.active .view-line");
    const tops = await lines.evaluateAll((all) =>
      all.map((line) => [line.getBoundingClientRect().top, line.textContent]),
    );
    return shown(tops.sort(([a], [b]) => a - b).at(-1)[1]);
  }

  // Commands, status bar, lists

  /** Runs a command through the command palette, by its full title. */
  async command(title) {
    await this.press("F1");
    await this.page.locator(`${quickInput} input`).fill(`>${title}`);
    // The list is drawn anew while it is filtered, so a click may miss; the best match gets the focus.
    const best = this.page.locator(`${quickInput} .monaco-list-row.focused .label-name`);
    await best.getByText(title, { exact: true }).waitFor();
    await this.press("Enter");
    await this.page.locator(quickInput).waitFor({ state: "hidden" });
  }

  /** The labels of the open list of choices. */
  async choices() {
    const rows = this.page.locator(`${quickInput} .monaco-list-row`);
    await rows.first().waitFor();
    return (await rows.allTextContents()).map(shown);
  }

  /** The text of the active editor, once it matches. */
  async waitForActiveText(pattern) {
    const lines = this.page.locator(".editor-group-container.active .view-line");
    let text = "";
    await until(async () => {
      text = shown((await lines.allTextContents()).join("\n"));
      return pattern.test(text);
    }, `${pattern} in the active editor`);
    return text;
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

  /** Watches every frame that is drawn; the function it returns ends that and gives the ghost texts, in order. */
  async recordGhostText() {
    await this.page.evaluate(watchFrames, ghostSelector);
    return async () => (await this.page.evaluate(() => window.hotpathFrames.stop())).map(shown);
  }
}

async function until(isTrue, what) {
  const deadline = performance.now() + waitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited ${waitMs} ms for ${what}`);
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
