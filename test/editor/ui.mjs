// Drives the packaged extension in a real editor the way a person does, with the real engine and the starter model.
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launchChromium } from "../support/browser.mjs";
import { benchmarkChecks } from "./checks/benchmark.mjs";
import { fileChecks } from "./checks/files.mjs";
import { firstChecks, lightChecks } from "./checks/first.mjs";
import { modelChecks } from "./checks/models.mjs";
import { recordingChecks } from "./checks/recording.mjs";
import { switchChecks } from "./checks/switches.mjs";
import { typingChecks } from "./checks/typing.mjs";
import { windowChecks } from "./checks/windows.mjs";
import { installExtension, startCodeServer } from "./codeServer.mjs";
import { Profile } from "./profile.mjs";
import { screenshotDirectory, Workbench } from "./workbench.mjs";

/**
 * In this order, in one window. A check that is `essential` makes those after it pointless when it fails; `files` are in
 * the workspace from the start.
 * @type {readonly { name: string, essential?: boolean, files?: Record<string, string>, run: Function }[]}
 */
const checks = [
  ...firstChecks,
  ...switchChecks,
  ...fileChecks,
  ...typingChecks,
  ...recordingChecks,
  ...modelChecks,
  ...benchmarkChecks,
  ...windowChecks,
  ...lightChecks,
];

const afterwards = "no process outlives the editor";

export const uiCheckNames = [...checks.map((check) => check.name), afterwards];

export async function runUiChecks({ editor, vsix, report }) {
  const profile = new Profile();
  for (const [name, text] of checks.flatMap(({ files = {} }) => Object.entries(files))) {
    writeFileSync(path.join(profile.workspace, name), text);
  }
  rmSync(screenshotDirectory, { recursive: true, force: true });
  try {
    await installExtension(editor, profile, vsix);
    const server = await startCodeServer(editor, profile);
    try {
      await runInBrowser({ editor, profile, server, report });
    } finally {
      const survivors = await server.stop();
      if (survivors.length === 0) report.pass(afterwards, 0);
      else report.fail(afterwards, `processes ${survivors.join(", ")} had to be killed`, profile.logTails());
    }
  } finally {
    profile.remove();
  }
}

async function runInBrowser({ editor, profile, server, report }) {
  const browser = await launchChromium(editor.chromium);
  try {
    const openWindow = async (folder) => {
      const workbench = await Workbench.create(browser, server);
      await workbench.open(server, folder);
      return workbench;
    };
    const workbench = await openWindow(profile.workspace);
    await runChecks({ workbench, profile, openWindow }, report);
  } finally {
    await browser.close();
  }
}

async function runChecks(session, report) {
  const { workbench, profile } = session;
  let isPointless = false;
  for (const { name, essential = false, run } of checks) {
    if (isPointless) {
      report.fail(name, "not reached");
      continue;
    }
    const startMs = performance.now();
    try {
      await run(session);
      report.pass(name, performance.now() - startMs);
    } catch (error) {
      isPointless = essential;
      await workbench.screenshot("failure");
      report.fail(name, error, [...workbench.errors, profile.logTails()].join("\n"));
      await workbench.press("Escape"); // An open list would swallow the next check's keys.
    }
  }
}
