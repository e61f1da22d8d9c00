// Switching completions off and on: everywhere, for one language, for a while.
import assert from "node:assert/strict";
import { expectGhostTextAfterNextKey, expectNoGhostText, script } from "./steps.mjs";

export const switchChecks = [
  {
    name: "switched off there is no ghost text, switched on there is",
    files: { "switch.py": script("Switch") },
    async run({ workbench }) {
      await workbench.command("Hotpath: Toggle Completions");
      await workbench.waitForStatus(/off/);
      await expectNoGhostText(workbench, "switch.py", "completions are off");
      await workbench.screenshot("off");
      await workbench.command("Hotpath: Toggle Completions");
      await workbench.waitForStatus(/^(?!.*off)/);
      await expectGhostTextAfterNextKey(workbench, "switch.py");
    },
  },
  {
    name: "the quick menu switches one language off and on",
    files: { "language.py": script("Language"), "other.txt": "" },
    async run({ workbench }) {
      await workbench.openFile("language.py");
      await workbench.openMenu();
      await workbench.choose("Turn Completions Off for python");
      await workbench.waitForStatus(/off/);
      assert.match(await workbench.statusHover(), /off for python/);
      await workbench.screenshot("language-off");
      await workbench.openFile("other.txt");
      await workbench.waitForStatus(/^(?!.*off)/);
      await expectNoGhostText(workbench, "language.py", "completions are off for this language");
      await workbench.openFile("language.py");
      await workbench.openMenu();
      await workbench.choose("Turn Completions On for python");
      await workbench.waitForStatus(/^(?!.*off)/);
      await expectGhostTextAfterNextKey(workbench, "language.py");
    },
  },
  {
    name: "the quick menu snoozes completions, and ends the snooze",
    files: { "snooze.py": script("Snooze") },
    async run({ workbench }) {
      await workbench.openMenu();
      await workbench.choose("Snooze…", { leadsTo: "Snooze Completions" });
      await workbench.screenshot("snooze-menu");
      await workbench.choose("15 minutes");
      await workbench.waitForStatus(/off until \d\d:\d\d/);
      await expectNoGhostText(workbench, "snooze.py", "completions are snoozed");
      await workbench.screenshot("snoozed");
      await workbench.openMenu();
      await workbench.choose("End Snooze or Change It…", { leadsTo: "Snooze Completions" });
      await workbench.choose("End snooze");
      await workbench.waitForStatus(/^(?!.*off)/);
      await expectGhostTextAfterNextKey(workbench, "snooze.py");
    },
  },
];
