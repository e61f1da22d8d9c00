// The benchmark panel in the editor, with the real engine: models write code, and the panel's workers run it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { run } from "../../support/tools.mjs";

const cli = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));

/** A run on two busy cores: the memory is measured, the starter model hashed, a Python started for each program. */
const runMs = 180_000;
const denseRow = "starter-nano-q8_0 (dense)";

export const benchmarkChecks = [
  {
    name: "a latency sweep and the starter set run from the palette, and show their chart and table",
    async run({ workbench }) {
      await workbench.command("Hotpath: Benchmark…");
      const panel = workbench.panel();
      await fillForm(panel);
      await panel.getByText("Starter set", { exact: true }).click();
      await panel.getByText("Run code that models write, shut in").click();
      await panel.getByText(/^Roughly /).waitFor();
      await workbench.screenshot("benchmark-form");
      await panel.getByText("Start", { exact: true }).click();
      await panel.getByText(/^\d+ of \d+/).waitFor();
      await workbench.waitForStatus(/\d+ %/);
      await workbench.screenshot("benchmark-running");
      await ended(panel, "complete");
      await panel.getByText("in a worker of the panel, full isolation").waitFor();
      const row = panel.getByRole("row", { name: /^starter-nano-q8_0 \(dense\)/ });
      assert.match(await row.innerText(), /dense\s+5M\s+.* ms/s);
      await chartDot(panel, "dark").waitFor();
      await workbench.screenshot("benchmark-results");
    },
  },
  {
    name: "the benchmark panel follows the editor's theme",
    async run({ workbench }) {
      const panel = workbench.panel();
      await chartDot(panel, "dark").waitFor();
      await workbench.command("Preferences: Toggle between Light/Dark Themes");
      await chartDot(panel, "light").waitFor();
      await workbench.screenshot("benchmark-light");
      await workbench.command("Preferences: Toggle between Light/Dark Themes");
      await chartDot(panel, "dark").waitFor();
    },
  },
  {
    name: "a run goes on while its panel is closed, is found again, cancelled and resumed",
    async run({ workbench }) {
      const panel = workbench.panel();
      await panel.getByRole("tab", { name: "New run" }).click();
      const form = panel.getByRole("tabpanel", { name: "New run" });
      await form.getByText("Starter set", { exact: true }).click(); // Not again: it was chosen before.
      await panel.getByText("Start", { exact: true }).click();
      await panel.getByText(/^[1-9]\d* of \d+/).waitFor({ timeout: runMs });
      await workbench.closeEditor("Hotpath Benchmark");
      await workbench.waitForStatus(/\d+ %/);
      await workbench.command("Hotpath: Open Benchmark Results");
      const again = workbench.panel();
      await again.getByText("Cancel", { exact: true }).click();
      await ended(again, "cancelled");
      await again.getByRole("tab", { name: "History" }).click();
      await workbench.screenshot("benchmark-history");
      const history = again.getByRole("tabpanel", { name: "History" });
      await history.getByText("Resume", { exact: true }).first().click();
      await again.getByRole("tab", { name: "Results" }).click();
      await ended(again, "complete");
    },
  },
  {
    name: "the HTML report of a run is a page of its own",
    async run({ workbench }) {
      const file = await exported(workbench, "HTML", "html");
      const page = await workbench.page.context().newPage();
      try {
        await page.goto(pathToFileURL(file).href);
        await page.getByRole("heading", { name: /^Hotpath benchmark/ }).waitFor();
        await page.locator("figure svg").first().waitFor();
        await page.getByRole("cell", { name: denseRow }).first().waitFor();
      } finally {
        await page.close();
        rmSync(file);
      }
      await workbench.screenshot("benchmark-exported");
    },
  },
  {
    name: "a run is taken along as Markdown, samples, pictures, and a bundle that verifies",
    async run({ workbench, profile }) {
      const { folder, entries } = newestRecord(profile);
      const markdown = readFileSync(await exported(workbench, "Markdown", "md"), "utf8");
      assert.ok(markdown.startsWith(`# Hotpath benchmark ${path.basename(folder)}\n`));
      assert.match(markdown, /^## Speed$/m);
      const rows = readFileSync(await exported(workbench, "CSV", "csv"), "utf8")
        .trimEnd()
        .split("\r\n");
      assert.equal(rows.length - 1, entries.filter(({ type }) => type === "output").length);
      const name = `hotpath-${path.basename(folder)}`;
      await workbench.panel().getByText("SVG", { exact: true }).click();
      await workbench.takeOfferedFolder();
      await workbench.notification(/pictures are in/);
      const pictures = readdirSync(profile.workspace).filter((file) => file.endsWith(".svg"));
      assert.ok(pictures.length > 1 && pictures.every((file) => file.startsWith(`${name}-`)), pictures.join(", "));
      for (const file of pictures) assert.match(readFileSync(path.join(profile.workspace, file), "utf8"), /^<svg /);
      await workbench.panel().getByText("Reproduction bundle", { exact: true }).click();
      await workbench.takeOfferedFolder();
      await workbench.notification(/the bundle is in/);
      const told = await run(process.execPath, [cli, "verify", path.join(profile.workspace, name), "--level", "1"]);
      assert.match(told, /Verified at level 1/);
      for (const file of readdirSync(profile.workspace))
        if (file.startsWith(name)) rmSync(path.join(profile.workspace, file), { recursive: true });
      await workbench.closeEditor("Hotpath Benchmark");
    },
  },
  {
    name: "a run that ends with its window is offered again, completes, and measures nothing twice",
    async run({ workbench, profile }) {
      await workbench.command("Hotpath: Benchmark…");
      await fillForm(workbench.panel());
      await workbench.panel().getByText("Start", { exact: true }).click();
      await workbench
        .panel()
        .getByText(/^[2-9] of \d+/)
        .waitFor({ timeout: runMs });
      await workbench.reload();
      const panel = workbench.panel();
      const offer = panel.getByRole("region", { name: "Benchmark to resume" });
      await offer.getByText("was interrupted; nothing of it is lost.").waitFor();
      await workbench.screenshot("benchmark-interrupted");
      const before = samplesOf(newestRecord(profile).entries);
      await offer.getByText("Resume", { exact: true }).click();
      await panel.getByRole("tab", { name: "Results" }).click();
      await ended(panel, "complete");
      const { entries } = newestRecord(profile);
      const samples = samplesOf(entries);
      const { taskCount } = entries.find(({ type }) => type === "suite").info;
      assert.equal(entries.filter(({ type }) => type === "resume").length, 1);
      assert.ok(before.length > 0 && before.length < samples.length, `${before.length} of ${samples.length} samples`);
      assert.equal(samples.length, 2 * taskCount);
      assert.equal(new Set(samples).size, samples.length);
      await workbench.closeEditor("Hotpath Benchmark");
    },
  },
];

/** Saves the run that is shown where the editor offers to, and gives the file. */
async function exported(workbench, label, extension) {
  await workbench.panel().getByText(label, { exact: true }).click();
  const file = await workbench.saveAsOffered(new RegExp(`/hotpath-\\d{8}-\\d{6}-\\w{6}\\.${extension}$`));
  await workbench.notification(new RegExp(`saved .*\\.${extension}`));
  return file;
}

/** Of the last run, with its whole lines. */
function newestRecord(profile) {
  const runs = path.join(profile.kept, "benchmarks");
  const [newest] = readdirSync(runs)
    .filter((name) => /^\d{8}-/.test(name))
    .sort()
    .reverse();
  const folder = path.join(runs, newest);
  const lines = readFileSync(path.join(folder, "record.jsonl"), "utf8").split("\n").slice(0, -1);
  return { folder, entries: lines.map((line) => JSON.parse(line)) };
}

/** What was measured, without warm-ups: one name each. */
function samplesOf(entries) {
  const outputs = entries.filter(({ type, isWarmUp }) => type === "output" && !isWarmUp);
  return outputs.map(({ suite, subject, task, repetition }) => [suite, subject, task, repetition].join(" "));
}

/** The least that shows something: the starter model in two modes, one round, two problems. */
async function fillForm(panel) {
  await panel.getByText("Starter (in use)").waitFor();
  await panel.getByText("auto: the faster of dense and exact").click();
  await panel.getByText("dense: every neuron").click();
  await panel.getByText("exact: hot/cold, same result").click();
  await panel.getByRole("textbox", { name: "Problems of each quality suite" }).fill("2");
  await panel.getByRole("textbox", { name: "Rounds of each speed suite" }).fill("1");
}

async function ended(panel, state) {
  await panel.getByRole("heading", { name: `(${state})` }).waitFor({ timeout: runMs });
  await panel.getByRole("region", { name: "Running benchmark" }).waitFor({ state: "hidden" });
}

/** A point of a dense model in the colour of the theme. */
function chartDot(panel, theme) {
  const color = { dark: "#56b4e9", light: "#0067a3" }[theme];
  return panel.getByRole("region", { name: "Latency against size" }).locator(`svg path[fill="${color}"]`).first();
}
