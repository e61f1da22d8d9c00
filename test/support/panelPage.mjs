// The panel's page in a plain browser, under the policy it has in the editor, with a test in the place of the host.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("../../dist/panel", import.meta.url));
const address = "http://panel.test/";

/** The editor's own values of the variables that the page uses most, by theme. */
const themes = {
  dark: {
    class: "vscode-dark",
    "--vscode-editor-background": "#1f1f1f",
    "--vscode-editor-foreground": "#cccccc",
    "--vscode-foreground": "#cccccc",
    "--vscode-descriptionForeground": "#9d9d9d",
    "--vscode-editorIndentGuide-background1": "#404040",
    "--vscode-panel-border": "#2b2b2b",
    "--vscode-focusBorder": "#0078d4",
    "--vscode-textLink-foreground": "#4daafc",
    "--vscode-errorForeground": "#f85149",
  },
  light: {
    class: "vscode-light",
    "--vscode-editor-background": "#ffffff",
    "--vscode-editor-foreground": "#3b3b3b",
    "--vscode-foreground": "#3b3b3b",
    "--vscode-descriptionForeground": "#3b3b3b",
    "--vscode-editorIndentGuide-background1": "#d3d3d3",
    "--vscode-panel-border": "#e5e5e5",
    "--vscode-focusBorder": "#005fb8",
    "--vscode-textLink-foreground": "#005fb8",
    "--vscode-errorForeground": "#f85149",
    "--vscode-button-secondaryBackground": "#e5e5e5",
    "--vscode-button-secondaryForeground": "#3b3b3b",
    "--vscode-settings-checkboxBackground": "#f8f8f8",
    "--vscode-settings-checkboxForeground": "#3b3b3b",
    "--vscode-settings-checkboxBorder": "#cecece",
    "--vscode-settings-textInputBackground": "#ffffff",
    "--vscode-settings-textInputForeground": "#3b3b3b",
    "--vscode-settings-textInputBorder": "#cecece",
    "--vscode-settings-dropdownBackground": "#ffffff",
    "--vscode-settings-dropdownForeground": "#3b3b3b",
    "--vscode-settings-dropdownBorder": "#cecece",
  },
  contrast: {
    class: "vscode-high-contrast",
    "--vscode-editor-background": "#000000",
    "--vscode-editor-foreground": "#ffffff",
    "--vscode-foreground": "#ffffff",
    "--vscode-descriptionForeground": "#ffffff",
    "--vscode-editorIndentGuide-background1": "#7c7c7c",
    "--vscode-panel-border": "#6fc3df",
    "--vscode-contrastBorder": "#6fc3df",
    "--vscode-focusBorder": "#f38518",
    "--vscode-textLink-foreground": "#21a6ff",
    "--vscode-errorForeground": "#f48771",
    "--vscode-button-border": "#6fc3df",
    "--vscode-button-secondaryBackground": "#000000",
    "--vscode-button-background": "#000000",
    "--vscode-settings-checkboxBackground": "#000000",
    "--vscode-settings-checkboxBorder": "#6fc3df",
    "--vscode-settings-textInputBackground": "#000000",
    "--vscode-settings-textInputBorder": "#6fc3df",
    "--vscode-settings-dropdownBackground": "#000000",
    "--vscode-settings-dropdownBorder": "#6fc3df",
  },
};

export class PanelPage {
  page;
  /** What the policy refused, and what else went wrong in the page. */
  errors = [];
  /** What the page told the host, oldest first. */
  sent = [];

  /** @param {string} html the document, whose script and style are main.js and style.css of the same place */
  static async open(browser, html, { width = 900, height = 900, theme = "dark" } = {}) {
    const panel = new PanelPage();
    panel.page = await browser.newPage({ viewport: { width, height }, reducedMotion: "reduce" });
    panel.page.on("console", (line) => line.type() === "error" && panel.errors.push(line.text()));
    panel.page.on("pageerror", (error) => panel.errors.push(String(error)));
    await panel.page.route("**/*", (route) => answer(route, html));
    await panel.page.exposeFunction("hotpathSent", (message) => panel.sent.push(message));
    await panel.page.addInitScript(standInForEditor);
    await panel.page.goto(address);
    await panel.use(theme);
    return panel;
  }

  /** As the editor switches themes: variables on the root element, a class on the body. */
  async use(theme) {
    const { class: name, ...variables } = themes[theme];
    await this.page.evaluate(
      ([className, values]) => {
        document.documentElement.removeAttribute("style");
        for (const [key, value] of Object.entries(values)) document.documentElement.style.setProperty(key, value);
        document.body.className = className;
      },
      [name, variables],
    );
  }

  async tell(...messages) {
    await this.page.evaluate((all) => {
      for (const message of all) window.postMessage(message, "*");
    }, messages);
  }

  /** The last message of this type, once there is one. */
  async told(type) {
    await this.page.waitForFunction((wanted) => window.hotpathTypes.includes(wanted), type);
    return this.sent.findLast((message) => message.type === type);
  }

  async close() {
    await this.page.close();
  }
}

function answer(route, html) {
  const name = new URL(route.request().url()).pathname.slice(1);
  if (!route.request().url().startsWith(address)) return route.abort();
  if (name === "") return route.fulfill({ contentType: "text/html", body: html });
  const type = name.endsWith(".css") ? "text/css" : "text/javascript";
  return route.fulfill({ contentType: type, body: readFileSync(path.join(built, path.basename(name)), "utf8") });
}

/** Runs in the page before its own script. */
function standInForEditor() {
  let state;
  window.hotpathTypes = [];
  window.hotpathLongFrames = [];
  window.acquireVsCodeApi = () => ({
    postMessage(message) {
      window.hotpathTypes.push(message.type);
      void window.hotpathSent(JSON.parse(JSON.stringify(message)));
    },
    getState: () => state,
    setState(next) {
      state = next;
    },
  });
  document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`refused: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.hotpathLongFrames.push(entry.duration);
  }).observe({ type: "longtask", buffered: true });
}
