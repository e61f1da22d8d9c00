// Steps and texts that several checks use.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { sampleWorkspace } from "../profile.mjs";

/** Ends a script in a way that even a very small model continues: `__ == "__main__":`. */
export const typedText = "\n\nif __name";

/** A script of its own for a check: a second one with the same text would be answered from the cache. */
export function script(title) {
  const text = readFileSync(path.join(sampleWorkspace, "words.py"), "utf8");
  return text.replace("Counts the words", `${title}: counts the words`);
}

export async function typeAtEndOf(workbench, name, text = typedText) {
  await workbench.openFile(name);
  await workbench.moveToEnd();
  await workbench.type(text);
}

/** The editor asks some 50 ms after the last key, and nothing on the screen tells that the answer was nothing. */
const pauseMs = 1500;

/**
 * Types, and finds for the place after the last key the reason in Show Last Completions. No frame on the way may show
 * anything; the same keys in another file or state do bring ghost text.
 */
export async function expectNoGhostText(workbench, name, reason) {
  await workbench.openFile(name);
  await workbench.moveToEnd();
  const stopRecording = await workbench.recordGhostText();
  await workbench.type(typedText);
  await workbench.page.waitForTimeout(pauseMs);
  await workbench.command("Hotpath: Show Last Completions");
  const column = typedText.split("\n").at(-1).length + 1;
  await workbench.waitForActiveText(new RegExp(`${name}:\\d+:${column} .*\n\nNothing shown: ${reason}\\.`));
  assert.deepEqual(await stopRecording(), [""]);
}

/** A key, because the editor asks only once about an unchanged place. */
export async function expectGhostTextAfterNextKey(workbench, name) {
  await workbench.openFile(name);
  await workbench.moveToEnd();
  await workbench.type("_");
  await workbench.waitForGhostText();
}
