// The benchmark panel in the editor, with the real engine: models write code, and the panel's workers run it.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** A run on two busy cores: the memory is measured, the starter model hashed, a Python started for each program. */
const runMs = 180_000;

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
      await workbench.panel().getByText("HTML", { exact: true }).click();
      const file = await workbench.saveAsOffered(/\/hotpath-\d{8}-\d{6}-\w{6}\.html$/);
      await workbench.notification(/saved .*\.html/);
      const page = await workbench.page.context().newPage();
      try {
        await page.goto(pathToFileURL(file).href);
        await page.getByRole("heading", { name: /^Hotpath benchmark/ }).waitFor();
        await page.locator("figure svg").first().waitFor();
        await page.getByRole("cell", { name: "starter-nano-q8_0 (dense)" }).first().waitFor();
      } finally {
        await page.close();
        rmSync(file);
      }
      await workbench.screenshot("benchmark-exported");
      await workbench.closeEditor("Hotpath Benchmark");
    },
  },
];

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
