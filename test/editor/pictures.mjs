// Takes the README's pictures anew, from the real editor with the packaged extension: node test/editor/pictures.mjs
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, makePackage } from "../../esbuild.mjs";
import { launchChromium } from "../support/browser.mjs";
import { installExtension, startCodeServer } from "./codeServer.mjs";
import { installEditor } from "./install.mjs";
import { Profile } from "./profile.mjs";
import { Workbench } from "./workbench.mjs";

const folder = fileURLToPath(new URL("../../media/readme/", import.meta.url));
const size = { width: 1000, height: 620 };

async function takePictures(workbench, server, profile) {
  const { page } = workbench;
  const take = (name) => page.screenshot({ path: path.join(folder, name) });
  await page.setViewportSize(size);
  await workbench.open(server, profile.workspace);
  await workbench.waitForStatus(/Hotpath/);
  await workbench.openFile("words.py");
  await workbench.moveToEnd();
  await workbench.type("\n\nif __name");
  await workbench.waitForGhostText();
  await workbench.waitForStatus(/tok\/s/);
  await take("ghost-text-dark.png");
  await workbench.command("Preferences: Toggle between Light/Dark Themes");
  await page.locator(".monaco-workbench.vs").waitFor();
  await workbench.statusHover();
  await take("status-light.png");
}

await build();
const editor = await installEditor();
if (!editor.available) throw new Error(editor.reason);
const profile = new Profile();
await installExtension(editor, profile, makePackage());
const server = await startCodeServer(editor, profile);
const browser = await launchChromium(editor.chromium);
try {
  await takePictures(await Workbench.create(browser, server), server, profile);
} finally {
  await browser.close();
  await server.stop();
  profile.remove();
}
