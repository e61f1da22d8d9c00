// Ghost text beside what the editor itself adds to the typed text.
import assert from "node:assert/strict";
import { script, typeAtEndOf } from "./steps.mjs";

export const typingChecks = [
  {
    name: "a completion that passes an auto-closed bracket does not double it",
    files: { "brackets.py": script("Brackets") },
    async run({ workbench, profile }) {
      await typeAtEndOf(workbench, "brackets.py", "\n\n\nfor word in sorted(");
      await workbench.waitForGhostText();
      const line = await workbench.lastLine();
      assert.ok(/^\s*for word in sorted\([^()]+\)[^()]+$/.test(line), `nothing behind the bracket: ${line}`);
      await workbench.screenshot("auto-closed-bracket");
      await workbench.press("Tab");
      await workbench.save("brackets.py");
      assert.equal(profile.readWorkspaceFile("brackets.py").split("\n").at(-1), line);
    },
  },
  {
    name: "ghost text continues the selected suggestion, and accepting both doubles nothing",
    files: { "suggestions.py": script("Suggestions") },
    async run({ workbench, profile }) {
      await typeAtEndOf(workbench, "suggestions.py", "\n\n\ndef show():\n    lines = sys.stdin\n    counts = coun");
      await workbench.press("Control+Space");
      await workbench.waitForSelectedSuggestion("count_words");
      await workbench.waitForGhostTextLike(/^t_words./);
      await workbench.press("ArrowDown");
      await workbench.waitForSelectedSuggestion("counts");
      await workbench.waitForGhostTextLike(/^ts/);
      await workbench.press("ArrowUp");
      const ghostText = await workbench.waitForGhostTextLike(/^t_words./);
      const line = await workbench.lastLine();
      await workbench.screenshot("suggestion");
      await workbench.press("Tab"); // The suggestion,
      await workbench.waitForExactGhostText(ghostText.slice("t_words".length));
      await workbench.press("Tab"); // and what follows it.
      await workbench.waitForExactGhostText("");
      await workbench.save("suggestions.py");
      assert.equal(profile.readWorkspaceFile("suggestions.py").split("\n").at(-1), line);
    },
  },
];
