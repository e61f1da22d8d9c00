// Several windows and their engine.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { script, typeAtEndOf } from "./steps.mjs";

export const windowChecks = [
  {
    name: "two windows share one engine, and both recover when it is killed",
    files: { "shared.py": script("Shared"), "again.py": script("Again") },
    async run({ workbench: first, profile, openWindow }) {
      const folder = path.join(profile.directory, "ws2");
      mkdirSync(folder);
      writeFileSync(path.join(folder, "shared.py"), script("Shared by the second window"));
      writeFileSync(path.join(folder, "again.py"), script("Again in the second window"));
      const second = await openWindow(folder);
      try {
        for (const window of [first, second]) await expectGhostText(window, "shared.py");
        const { pid } = profile.readEngineFile();
        assert.deepEqual(profile.engines(), [pid]);
        process.kill(pid, "SIGKILL");
        await second.notification(/SIGKILL|killed/);
        await second.screenshot("second-window");
        for (const window of [first, second]) await expectGhostText(window, "again.py");
        const { pid: newPid } = profile.readEngineFile();
        assert.notEqual(newPid, pid);
        assert.deepEqual(profile.engines(), [newPid]);
      } finally {
        await second.close();
      }
    },
  },
];

async function expectGhostText(window, name) {
  // A new window: the editor would not ask again about a place it asked about before the extension was there.
  await window.waitForStatus(/Hotpath/);
  await typeAtEndOf(window, name);
  await window.waitForGhostText();
}
