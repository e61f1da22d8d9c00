// Choosing a model: a file on this machine, one that is none, and the starter model again.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { script, typeAtEndOf } from "./steps.mjs";

const starter = fileURLToPath(new URL("../../../media/starter/starter-nano-q8_0.gguf", import.meta.url));

export const modelChecks = [
  {
    name: "a model file chosen by its path is used, and stands first when choosing again",
    files: { "chosen.py": script("Chosen") },
    async run({ workbench, profile }) {
      const model = renamedStarter();
      await workbench.openFile("chosen.py");
      await browseFor(workbench, writeModel(profile, "mine.gguf", model.bytes));
      await workbench.waitForStatusHover(new RegExp(`Model: ${model.name},`));
      await typeAtEndOf(workbench, "chosen.py");
      await workbench.waitForGhostText();
      await workbench.waitForStatus(/\d tok\/s/);
      assert.doesNotMatch(await workbench.statusHover(), /Starter model/);
      await openChoice(workbench);
      assert.match((await workbench.choices())[0], /mine\.gguf/);
      assert.match(await workbench.checkedChoice(), /mine\.gguf/);
      await workbench.dismissChoices();
    },
  },
  {
    name: "a text file called .gguf is refused with the reason, and the model stays",
    async run({ workbench, profile }) {
      const text = writeModel(profile, "notes.gguf", "Buy milk, bread and a model.\n");
      await browseFor(workbench, text);
      await workbench.notification(/notes\.gguf: does not begin with GGUF/);
      await workbench.screenshot("model-refused");
      await openChoice(workbench);
      assert.match(await workbench.checkedChoice(), /mine\.gguf/);
      assert.doesNotMatch((await workbench.choices()).join("\n"), /notes\.gguf/);
      await workbench.dismissChoices();
    },
  },
  {
    name: "the starter model can be chosen again, and the file is then among the recently used",
    async run({ workbench }) {
      await workbench.openFile("chosen.py");
      await openChoice(workbench);
      await workbench.choose("Starter");
      await workbench.waitForStatusHover(/Model: .*Starter model: tiny demo model/);
      await openChoice(workbench);
      await workbench.screenshot("recently-used");
      assert.match((await workbench.choices()).at(-1), /mine\.gguf.*recently used/);
      await workbench.dismissChoices();
    },
  },
];

function openChoice(workbench) {
  return workbench.command("Hotpath: Choose Model…", { leadsTo: "Choose Model" });
}

async function browseFor(workbench, file) {
  await openChoice(workbench);
  await workbench.choose("Browse…", { leadsTo: "Choose a GGUF code model" });
  await workbench.enterPath(file);
}

function writeModel(profile, name, bytes) {
  const folder = path.join(profile.directory, "models");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

/** The starter model under another name in its header, so that the editor can show which of the two it uses. */
function renamedStarter() {
  const bytes = readFileSync(starter);
  const key = "general.name";
  const lengthAt = bytes.indexOf(key) + key.length + 4; // After the key comes the type of its value, here a string.
  const length = Number(bytes.readBigUInt64LE(lengthAt));
  const name = "chosen-by-its-path".slice(0, length).padEnd(length, "-");
  bytes.write(name, lengthAt + 8, "latin1");
  return { bytes, name };
}
