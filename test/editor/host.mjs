// Runs the Mocha suite inside the extension host of code-server, beside the packaged extension.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launchChromium } from "../support/browser.mjs";
import { installExtension, startCodeServer } from "./codeServer.mjs";
import { Profile } from "./profile.mjs";
import { Workbench } from "./workbench.mjs";

export const hostSuiteName = "the extension inside the extension host";

/** An extension without code: the host loads the suite on its behalf, so that Hotpath gets no developer's privileges. */
export const suiteFolder = fileURLToPath(new URL("suite", import.meta.url));

const suiteTimeoutMs = 180_000;

export async function runInExtensionHost({ editor, vsix, report }) {
  const profile = new Profile();
  const resultsFile = path.join(profile.directory, "results.json");
  try {
    await installExtension(editor, profile, vsix);
    const env = { HOTPATH_TEST_RESULTS: resultsFile };
    const server = await startCodeServer(editor, profile, { env, inHostTests: true });
    const failure = await errorOf(runSuite({ editor, profile, server, entry: "index.js" }));
    await server.stop();
    reportResults({ suite: hostSuiteName, resultsFile, failure, report, profile });
  } finally {
    profile.remove();
  }
}

/** Resolves when the suite has ended, whatever its results. */
export async function runSuite({ editor, profile, server, entry }) {
  const browser = await launchChromium(editor.chromium);
  try {
    const workbench = await Workbench.create(browser, server);
    // The workbench calls this function when the suite has ended. It must be there before the page is.
    let onEnd;
    const ended = new Promise((resolve) => {
      onEnd = resolve;
    });
    await workbench.page.exposeFunction("codeAutomationExit", onEnd);
    const remote = (file) => `vscode-remote://${server.host}${file}`;
    await workbench.open(server, profile.workspace, [
      ["extensionDevelopmentPath", remote(suiteFolder)],
      ["extensionTestsPath", remote(path.join(suiteFolder, entry))],
      ["skipWelcome", "true"],
    ]);
    await withTimeout(ended, () => {
      const lines = workbench.errors.join("\n");
      return `the suite did not end within ${suiteTimeoutMs} ms; errors in the browser:\n${lines}`;
    });
  } finally {
    await browser.close();
  }
}

async function withTimeout(promise, describe) {
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(describe())), suiteTimeoutMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

export function errorOf(promise) {
  return promise.then(
    () => undefined,
    (error) => error,
  );
}

/** The results tell of failed tests; a suite that left none has failed as a whole. */
export function reportResults({ suite, resultsFile, failure, report, profile }) {
  if (!existsSync(resultsFile)) {
    report.fail(suite, failure ?? "the suite left no results", profile.logTails());
    return;
  }
  for (const { name, ms, error } of JSON.parse(readFileSync(resultsFile, "utf8"))) {
    if (error === undefined) report.pass(name, ms);
    else report.fail(name, error, profile.logTails());
  }
}
