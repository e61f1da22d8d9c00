// Makes the typing traces that ship with Hotpath anew, by typing in the real editor: node test/editor/recordTraces.mjs
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, makePackage } from "../../esbuild.mjs";
import { launchChromium } from "../support/browser.mjs";
import { installExtension, startCodeServer } from "./codeServer.mjs";
import { installEditor } from "./install.mjs";
import { Profile } from "./profile.mjs";
import { sessions } from "./traces/sessions.mjs";
import { describeTypist, Typist } from "./traces/typist.mjs";
import { Workbench } from "./workbench.mjs";

const folder = fileURLToPath(new URL("../../media/benchmark/traces/", import.meta.url));
const command = "Hotpath: Record Typing for the Benchmark";

async function record(workbench, profile, session) {
  const saved = path.join(profile.kept, "traces", `${session.name}.json`);
  await workbench.openFile(session.file);
  await workbench.goTo(session.line, session.column);
  await workbench.command(command);
  await new Typist(workbench.page.keyboard, session.seed).play(session.steps);
  await workbench.command(command, { leadsTo: "Save Recorded Typing (holds the text of your file)" });
  await workbench.enterNewPath(saved);
  await workbench.notification(/keystrokes saved/);
  await workbench.save(session.file);
  const trace = readFileSync(saved, "utf8");
  refuseBunched(JSON.parse(trace).events);
  const text = profile.readWorkspaceFile(session.file);
  if (!session.results.every((part) => text.includes(part)))
    throw new Error(`${session.name} went wrong, it ended in\n${text}`);
  writeFileSync(path.join(folder, `${session.name}.json`), asTypedByProgram(trace, session.seed));
}

/** A machine that is busy with other things delivers keystrokes in bunches, which is not how they were typed. */
function refuseBunched(events) {
  const bunched = events.filter(({ atMs }, index) => index > 0 && atMs - events[index - 1].atMs < 15).length;
  if (bunched <= events.length / 25) return;
  throw new Error(`${bunched} of ${events.length} keystrokes came together with others; try again on a quiet machine`);
}

/** The recorder takes whoever types for a person. */
function asTypedByProgram(trace, seed) {
  const { recorded } = JSON.parse(trace);
  const truth = { ...recorded, by: "program", how: describeTypist(seed) };
  return trace.replace(JSON.stringify(recorded), () => JSON.stringify(truth));
}

/** What is typed is what the typist means to type, with no help from the editor but brackets and indentation. */
const settings = {
  "hotpath.enabled": false,
  "editor.acceptSuggestionOnEnter": "off",
  "editor.parameterHints.enabled": false,
};

await build();
const editor = await installEditor();
if (!editor.available) throw new Error(editor.reason);
const profile = new Profile({ settings });
for (const { file, text } of sessions) writeFileSync(path.join(profile.workspace, file), text);
mkdirSync(folder, { recursive: true });
await installExtension(editor, profile, makePackage());
const server = await startCodeServer(editor, profile);
const browser = await launchChromium(editor.chromium);
try {
  const workbench = await Workbench.create(browser, server);
  await workbench.open(server, profile.workspace);
  await workbench.waitForStatus(/Hotpath/);
  for (const session of sessions) {
    await record(workbench, profile, session);
    console.log(`${session.name}: recorded`);
  }
} finally {
  await browser.close();
  await server.stop();
  profile.remove();
}
