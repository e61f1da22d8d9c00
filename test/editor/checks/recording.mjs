// Recording how one types, for the benchmark.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { script } from "./steps.mjs";

const command = "Hotpath: Record Typing for the Benchmark";

export const recordingChecks = [
  {
    name: "typing is recorded with its pauses, and saved where the benchmark looks for it",
    files: { "recorded.py": script("Recorded") },
    async run({ workbench, profile }) {
      const file = path.join(profile.kept, "traces", "recorded.json");
      await workbench.openFile("recorded.py");
      await workbench.moveToEnd();
      await workbench.command(command);
      await workbench.page.locator(".statusbar-item", { hasText: "Recording typing" }).waitFor();
      await workbench.screenshot("recording");
      await workbench.type("f(1)");
      await workbench.press("Backspace");
      await workbench.command(command, { leadsTo: "Save Recorded Typing (holds the text of your file)" });
      await workbench.enterNewPath(file);
      await workbench.notification(/5 keystrokes saved to .*recorded\.json/);
      const trace = JSON.parse(readFileSync(file, "utf8"));
      assert.equal(trace.initialText, script("Recorded"));
      assert.equal(trace.languageId, "python");
      assert.equal(trace.recorded.by, "person");
      const end = trace.initialText.length;
      assert.deepEqual(
        trace.events.map(({ changes, cursor }) => [changes[0].text, changes[0].removed, cursor - end]),
        [
          ["f", 0, 1],
          ["()", 0, 2],
          ["1", 0, 3],
          [")", 1, 4],
          ["", 1, 3],
        ],
      );
      assert.ok(trace.events.every(({ atMs }, index) => index === 0 || atMs >= trace.events[index - 1].atMs));
      await workbench.save("recorded.py");
    },
  },
];
