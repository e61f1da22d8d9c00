// `npm run editor [-- FOLDER]`: a real editor with this Hotpath in it, until Ctrl+C. Without a folder: a copy of the sample.
//   --browser       code-server even when VS Code is installed
//   --shot FILE     take a picture of the window and end (implies --browser)
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makePackage } from "../../esbuild.mjs";
import { launchChromium } from "../support/browser.mjs";
import { findOnPath } from "../support/tools.mjs";
import { installExtension, startCodeServer } from "./codeServer.mjs";
import { installEditor } from "./install.mjs";
import { Profile, sampleWorkspace } from "./profile.mjs";
import { Workbench } from "./workbench.mjs";

const repository = fileURLToPath(new URL("../..", import.meta.url));

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { browser: { type: "boolean", default: false }, shot: { type: "string" } },
  });
  const folder = positionals[0] === undefined ? undefined : path.resolve(positionals[0]);
  if (folder !== undefined && !existsSync(folder)) throw new Error(`there is no folder ${folder}`);
  const desktop = values.browser || values.shot !== undefined ? undefined : findDesktop();
  if (desktop) await openDesktop(desktop, folder);
  else await openInBrowser(folder, values.shot);
}

/** The command that starts a desktop VS Code, or undefined. */
function findDesktop(env = process.env) {
  if (env.VSCODE_EXECUTABLE) return env.VSCODE_EXECUTABLE;
  const places = {
    darwin: [
      "/Applications/Visual Studio Code.app/Contents/Resources/app/bin/code",
      path.join(os.homedir(), "Applications/Visual Studio Code.app/Contents/Resources/app/bin/code"),
    ],
    win32: [
      path.join(env.LOCALAPPDATA ?? "", "Programs", "Microsoft VS Code", "Code.exe"),
      path.join(env.ProgramFiles ?? "", "Microsoft VS Code", "Code.exe"),
    ],
    linux: ["/usr/share/code/bin/code", "/snap/bin/code", "/var/lib/flatpak/exports/bin/com.visualstudio.code"],
  };
  return findOnPath(["code"], env) ?? (places[process.platform] ?? []).find((file) => existsSync(file));
}

/** A window of the user's own VS Code, with their settings and extensions and the working tree's Hotpath. */
async function openDesktop(command, folder) {
  const copy = folder === undefined ? mkdtempSync(path.join(os.tmpdir(), "hotpath-sample-")) : undefined;
  if (copy) cpSync(sampleWorkspace, copy, { recursive: true });
  const args = ["--new-window", "--wait", `--extensionDevelopmentPath=${repository}`, folder ?? copy];
  console.log(`${command} ${args.join(" ")}\nclose the window or press Ctrl+C to end`);
  try {
    // A .cmd file runs in a shell only, and the shell splits at blanks.
    const isBatch = command.endsWith(".cmd");
    const quoted = isBatch ? args.map((arg) => `"${arg}"`) : args;
    const child = spawn(isBatch ? `"${command}"` : command, quoted, { stdio: "inherit", shell: isBatch });
    await Promise.race([
      interrupted(),
      new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve)),
    ]);
    child.kill();
  } finally {
    if (copy) rmSync(copy, { recursive: true, force: true });
  }
}

async function openInBrowser(folder, shot) {
  const editor = await installEditor();
  if (!editor.available) throw new Error(`no VS Code found, and code-server is not available: ${editor.reason}`);
  const profile = new Profile();
  const opened = folder ?? profile.workspace;
  try {
    await installExtension(editor, profile, makePackage());
    const server = await startCodeServer(editor, profile);
    try {
      if (shot === undefined) {
        console.log(`\n${server.url}/?folder=${encodeURIComponent(opened)}\npress Ctrl+C to end`);
        await interrupted();
      } else await takePicture({ editor, server, folder: opened, file: path.resolve(shot) });
    } finally {
      await server.stop();
    }
  } finally {
    profile.remove();
  }
}

async function takePicture({ editor, server, folder, file }) {
  const browser = await launchChromium(editor.chromium);
  try {
    const workbench = await Workbench.create(browser, server);
    await workbench.open(server, folder);
    await workbench.waitForStatus(/Hotpath/);
    await mkdir(path.dirname(file), { recursive: true });
    await workbench.page.screenshot({ path: file });
    console.log(file);
  } finally {
    await browser.close();
  }
}

function interrupted() {
  return new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
