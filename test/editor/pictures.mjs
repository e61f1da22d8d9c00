// Takes the README's pictures anew, from the real editor with the packaged extension: node test/editor/pictures.mjs
import { cpSync, readFileSync } from "node:fs";
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
const benchmarkSize = { width: 1000, height: 960 };
/** A README is read over slow lines, too. */
const mostBytes = 200_000;
/** A real run, which takes longer than one would wait for pictures. */
const example = fileURLToPath(new URL("../../media/benchmark/example/record.jsonl", import.meta.url));

async function takePictures(workbench, server, profile) {
  const { page } = workbench;
  const take = async (name) => {
    const { length } = await page.screenshot({ path: path.join(folder, name) });
    if (length > mostBytes) throw new Error(`${name} has ${length} bytes, and may have ${mostBytes}`);
  };
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
  await page.setViewportSize(benchmarkSize);
  const panel = await showExample(workbench);
  await showCharts(panel, "#0067a3");
  await take("benchmark-light.png");
  await workbench.command("Preferences: Toggle between Light/Dark Themes");
  await showCharts(panel, "#56b4e9");
  await take("benchmark-dark.png");
}

async function showExample(workbench) {
  await workbench.command("View: Toggle Primary Side Bar Visibility");
  await workbench.command("Hotpath: Open Benchmark Results");
  const panel = workbench.panel();
  await panel.getByRole("heading", { name: "(complete)" }).waitFor();
  return panel;
}

/** From the recommendation down, once they have the colour of the theme. */
async function showCharts(panel, denseColor) {
  const chart = panel.getByRole("region", { name: "Latency against size" });
  await chart.locator(`svg path[fill="${denseColor}"]`).first().waitFor();
  const recommendation = panel.getByRole("region", { name: "Recommendation" });
  await recommendation.evaluate((element) => {
    const tabs = document.querySelector(".tabs")?.getBoundingClientRect().height ?? 0;
    scrollTo(0, element.getBoundingClientRect().top + scrollY - tabs - 12);
  });
}

await build();
const editor = await installEditor();
if (!editor.available) throw new Error(editor.reason);
const profile = new Profile();
const { runId } = JSON.parse(readFileSync(example, "utf8").split("\n", 1)[0]);
cpSync(example, path.join(profile.kept, "benchmarks", runId, "record.jsonl"));
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
