// Drives the packaged extension in a real editor the way a person does, with the real engine and the starter model.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { launchChromium } from "../support/browser.mjs";
import { installExtension, startCodeServer } from "./codeServer.mjs";
import { Profile } from "./profile.mjs";
import { Workbench } from "./workbench.mjs";

/** Ends a script in a way that even a very small model continues: `__ == "__main__":`. */
const typedText = "\n\nif __name";

/** One script per check: a second one with the same text would be answered from the cache. */
const scripts = ["recovery.py", "switch.py", "light.py", ".env"];

/** In this order, in one window. A check that is `essential` makes those after it pointless when it fails. */
const checks = [
  {
    name: "the packaged extension starts and shows its status",
    essential: true,
    async run({ workbench }) {
      await workbench.waitForStatus(/Hotpath/);
      await workbench.screenshot("1-started");
    },
  },
  {
    name: "ghost text appears after typing",
    essential: true,
    async run({ workbench }) {
      await workbench.openFile("words.py");
      await workbench.moveToEnd();
      await workbench.type(typedText);
      assert.notEqual(await workbench.waitForGhostText(), "");
      await workbench.screenshot("2-ghost-text");
    },
  },
  {
    name: "typing along keeps the ghost text and only shortens it",
    async run({ workbench }) {
      const before = await workbench.waitForGhostText();
      const typed = /^[\w =.,]{1,5}/.exec(before)?.[0] ?? ""; // No brackets and quotes: the editor would close them.
      assert.ok(
        typed.length > 1 && typed.length < before.length,
        `too little to type along: ${JSON.stringify(before)}`,
      );
      const stopRecording = await workbench.recordGhostText();
      await workbench.type(typed);
      await workbench.waitForExactGhostText(before.slice(typed.length));
      const seen = await stopRecording();
      const expected = Array.from({ length: typed.length + 1 }, (_, count) => before.slice(count));
      assert.deepEqual(
        seen.filter((text) => !expected.includes(text)),
        [],
        `no frame may show anything but what is left of ${JSON.stringify(before)}`,
      );
      await workbench.screenshot("3-typed-along");
    },
  },
  {
    name: "Tab inserts the ghost text into the file",
    async run({ workbench, profile }) {
      await workbench.waitForGhostText();
      const line = await workbench.lastLine();
      const original = profile.readWorkspaceFile("words.py");
      await workbench.press("Tab");
      await workbench.save("words.py");
      assert.equal(profile.readWorkspaceFile("words.py"), `${original}\n\n${line}`);
      await workbench.screenshot("4-accepted");
    },
  },
  {
    name: "the status bar shows the speed, its hover the model and the timings",
    async run({ workbench }) {
      await workbench.waitForStatus(/\d tok\/s/);
      const hover = await workbench.statusHover();
      for (const part of [/Model: /, /Devices: /, /p50 \d+ ms/, /Decode: \d/]) assert.match(hover, part);
      await workbench.screenshot("5-status-hover");
    },
  },
  {
    name: "the status bar opens the quick menu",
    async run({ workbench }) {
      await workbench.statusItem().click();
      const choices = (await workbench.choices()).join("\n");
      for (const part of [/Choose Model/, /Snooze/, /Restart Engine/]) assert.match(choices, part);
      await workbench.screenshot("6-quick-menu");
      await workbench.dismissChoices();
    },
  },
  {
    name: "Show Last Completions says what was asked and where the answer came from",
    async run({ workbench }) {
      await workbench.command("Hotpath: Show Last Completions");
      const text = await workbench.waitForActiveText(/words\.py:\d+:\d+/);
      assert.match(text, /Source: .*typed along/);
      await workbench.screenshot("7-last-completions");
    },
  },
  {
    name: "the walkthrough opens",
    async run({ workbench }) {
      await workbench.command("Hotpath: Show Walkthrough");
      await workbench.page.locator(".gettingStartedContainer", { hasText: "See a completion" }).waitFor();
      await workbench.screenshot("8-walkthrough");
    },
  },
  {
    name: "a killed engine is reported, and the next completion has a new one",
    async run({ workbench, profile }) {
      const { pid } = profile.readEngineFile();
      process.kill(pid, "SIGKILL");
      await workbench.notification(/SIGKILL|killed/);
      assert.match(await workbench.statusHover(), /SIGKILL|killed/);
      await workbench.screenshot("9-engine-killed");
      await workbench.openFile("recovery.py");
      await workbench.moveToEnd();
      await workbench.type(typedText);
      await workbench.waitForGhostText();
      assert.notEqual(profile.readEngineFile().pid, pid);
      await workbench.screenshot("10-engine-recovered");
    },
  },
  {
    name: "switched off there is no ghost text, switched on there is",
    async run({ workbench }) {
      await workbench.openFile("switch.py");
      await workbench.command("Hotpath: Toggle Completions");
      await workbench.waitForStatus(/off/);
      await workbench.moveToEnd();
      await expectNoGhostText(workbench, () => workbench.type(typedText));
      await workbench.screenshot("11-off");
      await workbench.command("Hotpath: Toggle Completions");
      await workbench.waitForStatus(/^(?!.*off)/);
      await workbench.type("_");
      await workbench.waitForGhostText();
    },
  },
  {
    name: "a .env file gets no ghost text",
    async run({ workbench }) {
      await workbench.openFile(".env");
      await workbench.moveToEnd();
      await expectNoGhostText(workbench, () => workbench.type(typedText));
      await workbench.screenshot("12-secret-file");
    },
  },
  {
    name: "ghost text appears in a light theme too",
    async run({ workbench }) {
      await workbench.command("Preferences: Toggle between Light/Dark Themes");
      await workbench.page.locator(".monaco-workbench.vs").waitFor();
      await workbench.openFile("light.py");
      await workbench.moveToEnd();
      await workbench.type(typedText);
      await workbench.waitForGhostText();
      await workbench.statusHover();
      await workbench.screenshot("13-light");
    },
  },
  {
    name: "the walkthrough's sample file gets ghost text",
    async run({ workbench }) {
      await workbench.command("Hotpath: Open Sample File");
      await workbench.waitForGhostText();
      await workbench.screenshot("14-sample");
    },
  },
];

const afterwards = "no process outlives the editor";

export const uiCheckNames = [...checks.map((check) => check.name), afterwards];

export async function runUiChecks({ editor, vsix, report }) {
  const profile = new Profile();
  for (const name of scripts) {
    const text = profile.readWorkspaceFile("words.py").replace("Counts the words", `${name}: counts the words`);
    writeFileSync(path.join(profile.workspace, name), text);
  }
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
    const workbench = await Workbench.create(browser, server);
    await workbench.open(server, profile.workspace);
    await runChecks({ workbench, profile }, report);
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
      await workbench.screenshot(`failure-${checks.findIndex((check) => check.name === name) + 1}`);
      report.fail(name, error, [...workbench.errors, profile.logTails()].join("\n"));
      await workbench.press("Escape"); // An open list would swallow the next check's keys.
    }
  }
}

/** Many times what an answer takes; the same keys in another file or state do bring ghost text in that time. */
const noGhostTextMs = 3000;

async function expectNoGhostText(workbench, act) {
  const stopRecording = await workbench.recordGhostText();
  await act();
  await workbench.page.waitForTimeout(noGhostTextMs);
  assert.deepEqual(await stopRecording(), [""]);
}
