// Kinds of files: those that stay private, and notebooks.
import assert from "node:assert/strict";
import { expectNoGhostText, script, typedText } from "./steps.mjs";

const notebook = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { language_info: { name: "python" } },
  cells: [
    { id: "first", cell_type: "code", execution_count: null, metadata: {}, outputs: [], source: [script("Notebook")] },
  ],
};

export const fileChecks = [
  {
    name: "a .env file gets no ghost text",
    files: { ".env": script("Secret") },
    async run({ workbench }) {
      await expectNoGhostText(workbench, ".env", "the file may hold secrets");
      await workbench.screenshot("secret-file");
    },
  },
  {
    name: "a file named by .gitignore gets no ghost text",
    files: { ".gitignore": "local_*.py\n", "local_notes.py": script("Local") },
    async run({ workbench }) {
      await expectNoGhostText(workbench, "local_notes.py", "the file is ignored by .gitignore or .hotpathignore");
    },
  },
  {
    name: "a file named by .hotpathignore gets no ghost text",
    files: { ".hotpathignore": "private.py\n", "private.py": script("Private") },
    async run({ workbench }) {
      await expectNoGhostText(workbench, "private.py", "the file is ignored by .gitignore or .hotpathignore");
      await workbench.screenshot("ignored-files");
    },
  },
  {
    name: "a notebook cell gets ghost text, and Tab inserts it",
    files: { "cells.ipynb": JSON.stringify(notebook) },
    async run({ workbench, profile }) {
      await workbench.openNotebook("cells.ipynb");
      await workbench.moveToEnd();
      await workbench.type(typedText);
      assert.notEqual(await workbench.waitForGhostText(), "");
      await workbench.screenshot("notebook");
      const line = await workbench.lastLine();
      await workbench.press("Tab");
      await workbench.save("cells.ipynb");
      const [cell] = JSON.parse(profile.readWorkspaceFile("cells.ipynb")).cells;
      assert.equal(cell.source.join(""), `${script("Notebook")}\n\n${line}`);
    },
  },
];
