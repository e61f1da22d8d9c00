// What a person meets first: ghost text, its keys, the status bar, and where to look when something is unclear.
import assert from "node:assert/strict";
import { script, typeAtEndOf } from "./steps.mjs";

/** The title of each step and a text of its picture. */
const walkthrough = [
  ["See a completion", "self.width = width"],
  ["Accept it or type on", "take one word"],
  ["Choose a real model", "Browse…"],
  ["See your speed", "First text: p50, p95"],
];

/** In this order: one goes on where the one before it ended. */
export const firstChecks = [
  {
    name: "the packaged extension starts and shows its status",
    essential: true,
    async run({ workbench }) {
      await workbench.waitForStatus(/Hotpath/);
      await workbench.screenshot("started");
    },
  },
  {
    name: "ghost text appears after typing",
    essential: true,
    async run({ workbench }) {
      await typeAtEndOf(workbench, "words.py");
      assert.notEqual(await workbench.waitForGhostText(), "");
      await workbench.screenshot("ghost-text");
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
      await workbench.screenshot("typed-along");
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
      await workbench.screenshot("accepted");
    },
  },
  {
    name: "the status bar shows the speed, its hover the model and the timings",
    async run({ workbench }) {
      await workbench.waitForStatus(/\d tok\/s/);
      const hover = await workbench.statusHover();
      for (const part of [/Model: /, /Devices: /, /p50 \d+ ms/, /Decode: \d/]) assert.match(hover, part);
      await workbench.screenshot("status-hover");
    },
  },
  {
    name: "the status bar opens the quick menu",
    async run({ workbench }) {
      await workbench.openMenu();
      const choices = (await workbench.choices()).join("\n");
      for (const part of [/Choose Model/, /Snooze/, /Restart Engine/]) assert.match(choices, part);
      await workbench.screenshot("quick-menu");
      await workbench.dismissChoices();
    },
  },
  {
    name: "Show Last Completions says what was asked and where the answer came from",
    async run({ workbench }) {
      await workbench.command("Hotpath: Show Last Completions");
      const text = await workbench.waitForActiveText(/words\.py:\d+:\d+/);
      assert.match(text, /Source: .*typed along/);
      await workbench.screenshot("last-completions");
    },
  },
  {
    name: "the walkthrough opens, with a picture beside each step",
    async run({ workbench }) {
      await workbench.widened(async () => {
        await workbench.command("Hotpath: Show Walkthrough");
        for (const [step, picture] of walkthrough) {
          await workbench.openWalkthroughStep(step);
          await workbench.walkthroughPicture().getByText(picture, { exact: true }).waitFor();
          await workbench.screenshot(`walkthrough-${step.replaceAll(" ", "-")}`);
        }
      });
    },
  },
  {
    name: "a killed engine is reported, and the next completion has a new one",
    files: { "recovery.py": script("Recovery") },
    async run({ workbench, profile }) {
      const { pid } = profile.readEngineFile();
      process.kill(pid, "SIGKILL");
      await workbench.notification(/SIGKILL|killed/);
      assert.match(await workbench.statusHover(), /SIGKILL|killed/);
      await workbench.screenshot("engine-killed");
      await typeAtEndOf(workbench, "recovery.py");
      await workbench.waitForGhostText();
      assert.notEqual(profile.readEngineFile().pid, pid);
      await workbench.screenshot("engine-recovered");
    },
  },
];

/** Last, because the theme stays. */
export const lightChecks = [
  {
    name: "ghost text appears in a light theme too",
    files: { "light.py": script("Light") },
    async run({ workbench }) {
      await workbench.command("Preferences: Toggle between Light/Dark Themes");
      await workbench.page.locator(".monaco-workbench.vs").waitFor();
      await typeAtEndOf(workbench, "light.py");
      await workbench.waitForGhostText();
      await workbench.statusHover();
      await workbench.screenshot("light");
    },
  },
  {
    name: "the walkthrough's sample file gets ghost text",
    async run({ workbench }) {
      await workbench.command("Hotpath: Open Sample File");
      await workbench.waitForGhostText();
      await workbench.screenshot("sample");
    },
  },
];
