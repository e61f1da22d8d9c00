// A temporary home for one run of the editor: settings, extensions, a copy of a workspace, the engine's files.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const sampleWorkspace = fileURLToPath(new URL("workspace", import.meta.url));

/** An editor in which nothing asks, reaches for the network or hides the ghost text. */
const quietSettings = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.tips.enabled": false,
  "workbench.colorTheme": "Dark 2026",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "update.mode": "none",
  "chat.disableAIFeatures": true,
  "editor.inlineSuggest.enabled": true,
  "editor.quickSuggestions": { other: "off", comments: "off", strings: "off" },
  "editor.suggestOnTriggerCharacters": false,
  "editor.minimap.enabled": false,
  "files.autoSave": "off",
  "git.enabled": false,
  "window.dialogStyle": "custom",
};

export class Profile {
  /** Short: a socket's path below it may have no more than 103 to 107 bytes. */
  directory = mkdtempSync(path.join(os.tmpdir(), "editor-"));
  userData = path.join(this.directory, "data");
  extensions = path.join(this.directory, "ext");
  workspace = path.join(this.directory, "ws");
  /** HOTPATH_RUNTIME_DIR of this editor; the engine makes the folder. */
  runtime = path.join(this.directory, "run");
  /** HOTPATH_DATA_DIR of this editor: what Hotpath keeps between sessions. */
  kept = path.join(this.directory, "kept");
  temporary = path.join(this.directory, "tmp");

  /** `settings`: besides the quiet ones. */
  constructor({ folder = sampleWorkspace, settings = {} } = {}) {
    mkdirSync(path.join(this.userData, "User"), { recursive: true });
    mkdirSync(this.extensions);
    mkdirSync(this.temporary);
    cpSync(folder, this.workspace, { recursive: true });
    // Written before the start: code-server does not follow later changes of the file.
    writeFileSync(
      path.join(this.userData, "User", "settings.json"),
      JSON.stringify({ ...quietSettings, ...settings }, null, 2),
    );
  }

  /** What the running engine says about itself (src/protocol/runtimeFiles.ts), or undefined when there is none. */
  readEngineFile() {
    const file = path.join(this.runtime, "engine.json");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  }

  readWorkspaceFile(name) {
    return readFileSync(path.join(this.workspace, name), "utf8");
  }

  /** Ids of the running processes that were started for this profile: server, extension hosts, engine. Linux only. */
  processes() {
    const mark = `HOTPATH_RUNTIME_DIR=${this.runtime}\0`;
    const isOurs = (id) => {
      try {
        return readFileSync(`/proc/${id}/environ`, "latin1").includes(mark);
      } catch {
        return false; // It ended meanwhile, or belongs to another user.
      }
    };
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && isOurs(name))
      .map(Number);
  }

  /** Ids of the running engines of this profile. */
  engines() {
    const isEngine = (id) => readFileSync(`/proc/${id}/cmdline`, "latin1").includes("engineHost.js");
    return this.processes().filter(isEngine);
  }

  /** Ends of the logs that explain a failure: the extension host's, Hotpath's output, the engine's. */
  logTails(lineCount = 30) {
    const isWanted = (file) => /(remoteexthost|hotpath[^/]*|engine)\.log$/i.test(file);
    return readdirSync(this.directory, { recursive: true })
      .filter(isWanted)
      .map((file) => {
        const lines = readFileSync(path.join(this.directory, file), "utf8").trimEnd().split("\n");
        return [`--- ${file}`, ...lines.slice(-lineCount)].join("\n");
      })
      .join("\n");
  }

  remove() {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
