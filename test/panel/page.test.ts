// The panel's page as people use it: in a real browser, under the policy it has in the editor. The test is the host.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { panelHtml } from "../../src/panel/html.ts";
import type { Consent, LiveRun } from "../../src/panel/protocol.ts";
import { emptyView, type ResultRow } from "../../src/panel/runView.ts";
import { findChromium, launchChromium } from "../support/browser.mjs";
import { PanelPage } from "../support/panelPage.mjs";
import { madeUpChoices, madeUpRuns, madeUpView, olderView } from "../support/panelViews.ts";

const chromium = findChromium();
const html = panelHtml({ nonce: "n0nce", scriptUri: "main.js", styleUri: "style.css" });
/** In the dark theme. */
const denseDot = 'svg path[fill="#56b4e9"]';
const live: LiveRun = {
  runId: madeUpView().runId,
  phase: "measuring",
  what: "HumanEval/12 on starter (exact)",
  done: 12,
  total: 40,
  remainingMs: 180_000,
  isPaused: false,
  completions: "ahead",
};

const withChromium = { meta: { reason: "there is no Chromium; install one or set CHROMIUM to its path" } };
describe.runIf(chromium)("the page of the benchmark panel", withChromium, () => {
  let browser: Browser;
  let panel: PanelPage;

  beforeAll(async () => {
    browser = await launchChromium(chromium);
  }, 60_000);
  afterAll(() => browser.close());
  beforeEach(async () => {
    panel = await PanelPage.open(browser, html);
  });
  afterEach(async () => {
    await panel.close();
    // Whatever a test did: nothing was refused by the policy, and nothing failed in the page.
    expect(panel.errors).toEqual([]);
  });

  const results = () => panel.page.getByRole("tabpanel", { name: "Results" });
  const showResults = () =>
    panel.tell(
      { type: "runs", runs: madeUpRuns, unreadable: [] },
      { type: "view", view: madeUpView() },
      { type: "show", tab: "results" },
    );
  const chart = (name: string) => panel.page.getByRole("region", { name }).locator(".chart");

  it("says hello and fills the form with the model in use", async () => {
    expect(await panel.told("hello")).toEqual({ type: "hello", runId: null });
    await panel.tell({ type: "choices", choices: madeUpChoices });
    const { draft, draftId } = await panel.told("estimate");
    expect(draft).toMatchObject({ models: ["/models/starter.gguf"], modes: ["auto"], suites: ["latency"] });
    await panel.tell({ type: "estimate", draftId, estimate: { leastMs: 90_000, mostMs: 600_000, problem: null } });
    await panel.page.getByText("Roughly 2 min to 10 min.").waitFor();
    await panel.page.getByText("Start", { exact: true }).click();
    expect(await panel.told("start")).toMatchObject({ draft: { models: ["/models/starter.gguf"] } });
  });

  it("asks for consent before code runs, and for an address that is one", async () => {
    await panel.tell({ type: "choices", choices: madeUpChoices });
    await panel.page.getByText("Starter set", { exact: true }).click();
    await panel.page.getByText("Allow running code, or leave out the suites that do.").waitFor();
    await panel.page.getByText("Run code that models write, shut in").click();
    await panel.page.getByRole("textbox", { name: "Address" }).fill("localhost");
    await panel.page.getByText("Add", { exact: true }).click();
    await panel.page.getByText("An address starts with http:// or https://.").waitFor();
    await panel.page.getByRole("textbox", { name: "Address" }).fill("http://127.0.0.1:11434");
    await panel.page.getByText("Add", { exact: true }).click();
    await panel.page.getByText("Start", { exact: true }).click();
    const { draft } = await panel.told("start");
    expect(draft).toMatchObject({ consent: "full", suites: ["latency", "starter"] });
    expect(draft.servers).toEqual([{ api: "openai", url: "http://127.0.0.1:11434", model: "" }]);
  });

  it("starts without no server whose address was typed in", async () => {
    await panel.tell({ type: "choices", choices: madeUpChoices });
    const address = panel.page.getByRole("textbox", { name: "Address" });
    await address.fill("http://127.0.0.1:11434");
    await panel.page.getByText("Add the server, or clear its address.").waitFor();
    expect(await panel.page.getByRole("button", { name: "Start" }).getAttribute("disabled")).toBe("");
    await address.press("Enter");
    await panel.page.getByText("http://127.0.0.1:11434 (openai)").waitFor();
    await panel.page.getByText("Start", { exact: true }).click();
    expect((await panel.told("start")).draft.servers).toHaveLength(1);
  });

  it("shows the consent that a run would start with, whatever was remembered meanwhile", async () => {
    const remembered = (consent: Consent) =>
      ({ type: "choices", choices: { ...madeUpChoices, code: { ...madeUpChoices.code, consent } } }) as const;
    await panel.tell(remembered("full"));
    await panel.page.getByText("Starter set", { exact: true }).click();
    const box = panel.page.getByRole("checkbox", { name: "Run code that models write, shut in" });
    expect(await box.isChecked()).toBe(true);
    await panel.tell(remembered("none"));
    await settled(panel);
    expect(await box.isChecked()).toBe(true);
    await panel.page.getByText("Run code that models write, shut in").click();
    await panel.tell(remembered("full"));
    await settled(panel);
    expect(await box.isChecked()).toBe(false);
    await panel.page.getByText("Allow running code, or leave out the suites that do.").waitFor();
  });

  it("chooses a model that was just browsed for", async () => {
    await panel.tell({ type: "choices", choices: madeUpChoices });
    await panel.told("estimate");
    const browsed = { path: "/other/coder.gguf", label: "coder.gguf", detail: "/other", isActive: false };
    await panel.tell({ type: "choices", choices: { ...madeUpChoices, models: [browsed, ...madeUpChoices.models] } });
    await expect
      .poll(() => panel.page.getByRole("checkbox", { name: "coder.gguf", exact: true }).isChecked())
      .toBe(true);
    const models = ["/models/starter.gguf", "/other/coder.gguf"];
    await expect.poll(async () => (await panel.told("estimate")).draft.models).toEqual(models);
  });

  it("measures the model in use, also when another has come into use, until something else is chosen", async () => {
    const [first, second] = madeUpChoices.models.map(({ path }) => path);
    const using = (inUse?: string) => ({
      type: "choices" as const,
      choices: {
        ...madeUpChoices,
        models: madeUpChoices.models.map((one) => ({ ...one, isActive: one.path === inUse })),
      },
    });
    await panel.tell(using(first), using(second));
    await expect.poll(async () => (await panel.told("estimate")).draft.models).toEqual([second]);
    await panel.page.getByText("Starter", { exact: true }).click();
    await panel.tell(using(first));
    await expect.poll(async () => (await panel.told("estimate")).draft.models).toEqual([second, first]);
  });

  it("takes no number that is none for all problems, and starts nothing with it", async () => {
    await panel.tell({ type: "choices", choices: madeUpChoices });
    const start = panel.page.getByRole("button", { name: "Start" });
    const limit = panel.page.getByRole("textbox", { name: "Problems of each quality suite" });
    for (const wrong of ["0", "-5", "1.5"]) {
      await limit.fill(wrong);
      await panel.page.getByText("A whole number of at least 1, or nothing for all.").waitFor();
      expect(await start.getAttribute("disabled")).toBe("");
      await limit.fill("12");
      await expect.poll(() => start.getAttribute("disabled")).toBeNull();
    }
    const rounds = panel.page.getByRole("textbox", { name: "Rounds of each speed suite" });
    await rounds.fill("");
    await panel.page.getByText("A whole number of at least 1.", { exact: true }).waitFor();
    await rounds.fill("3");
    await limit.fill("");
    await panel.page.getByText("Start", { exact: true }).click();
    expect(await panel.told("start")).toMatchObject({ draft: { limit: null, rounds: 3 } });
  });

  it("shows a run that goes on, and steers it", async () => {
    await panel.tell({ type: "live", run: live });
    const banner = panel.page.getByRole("region", { name: "Running benchmark" });
    expect(await banner.innerText()).toContain("HumanEval/12 on starter (exact)");
    expect(await banner.innerText()).toContain("12 of 40, about 3 min left");
    await banner.getByText("Pause").click();
    await panel.told("pause");
    await panel.tell({ type: "live", run: { ...live, isPaused: true } });
    await banner.getByText("Continue").click();
    await panel.told("continue");
    await banner.getByText("Cancel").click();
    await panel.told("cancel");
    await panel.tell({ type: "live", run: null });
    await banner.waitFor({ state: "hidden" });
  });

  it("shows nothing of the run before under a run that has just begun", async () => {
    await showResults();
    const runId = "20261123-080000-0a1b2c";
    const startedAt = "2026-11-23T08:00:00.000Z";
    const [latest, ...older] = madeUpRuns;
    const begun = { ...latest, runId, startedAt, state: "running" } as const;
    const view = emptyView(begun);
    await panel.tell({ type: "runs", runs: [begun, ...older], unreadable: [] }, { type: "view", view });
    await results().getByText("Nothing has been measured yet.").waitFor();
    await results().getByRole("button", { name: /^Use / }).first().waitFor({ state: "hidden" });
    await results().getByText("Markdown").waitFor({ state: "hidden" });
    await panel.tell({ type: "view", view: madeUpView({ runId, state: "running" }) });
    await results().getByText("Markdown").click();
    expect(await panel.told("export")).toMatchObject({ runId });
  });

  const offer = () => panel.page.getByRole("region", { name: "Benchmark to resume" });

  it("offers to resume what was interrupted", async () => {
    const [run] = madeUpRuns.slice(1).map((each) => ({ ...each, suites: ["latency"] as const }));
    await panel.tell(
      { type: "choices", choices: madeUpChoices },
      { type: "runs", runs: run ? [run] : [], unreadable: [] },
    );
    await panel.tell({ type: "interrupted", runId: run?.runId ?? "" });
    await offer().getByText("was interrupted; nothing of it is lost.").waitFor();
    await offer().getByText("Resume").click();
    expect(await panel.told("resume")).toEqual({ type: "resume", runId: run?.runId, consent: "none" });
  });

  it("asks for consent before it resumes a run that runs code; it is the same as in the form", async () => {
    const runId = madeUpRuns[1]?.runId ?? "";
    await panel.tell({ type: "choices", choices: madeUpChoices }, { type: "runs", runs: madeUpRuns, unreadable: [] });
    await panel.tell({ type: "interrupted", runId });
    await offer().getByText("Allow running code to go on with it.").waitFor();
    const resume = offer().getByRole("button", { name: "Resume" });
    expect(await resume.getAttribute("disabled")).toBe("");
    await offer().getByText("Run code that models write, shut in").click();
    await expect.poll(() => resume.getAttribute("disabled")).toBeNull();
    await resume.click();
    expect(await panel.told("resume")).toEqual({ type: "resume", runId, consent: "full" });
    const form = panel.page.getByRole("tabpanel", { name: "New run" });
    await form.getByText("Starter set", { exact: true }).click();
    expect(await form.getByRole("checkbox", { name: "Run code that models write, shut in" }).isChecked()).toBe(true);
    await form.getByText("Run code that models write, shut in").click();
    await expect.poll(() => resume.getAttribute("disabled")).toBe("");
  });

  it("resumes runs of the history in which something failed, and asks first where code runs", async () => {
    await panel.tell({ type: "choices", choices: madeUpChoices }, { type: "runs", runs: madeUpRuns, unreadable: [] });
    await panel.page.getByRole("tab", { name: "History" }).click();
    const run = (day: string) => panel.page.getByRole("listitem").filter({ hasText: `${day} Nov 2026` });
    expect(await run("22").getByText("Resume").count()).toBe(0);
    await run("20").getByText("complete but for 2 failures").waitFor();
    await run("20").getByText("Resume").click();
    expect(await panel.told("resume")).toMatchObject({ runId: "20261120-090000-77aa01", consent: "none" });
    await run("21").getByText("Resume").click();
    await offer().getByText("has suites that run code of models. Allow running code to go on with it.").waitFor();
    await expect.poll(() => panel.page.evaluate(() => document.activeElement?.tagName)).toBe("VSCODE-CHECKBOX");
    await panel.page.keyboard.press("Space");
    await offer().getByText("Resume").click();
    await expect.poll(async () => (await panel.told("resume")).runId).toBe("20261121-180000-aa12b3");
    expect(await panel.told("resume")).toMatchObject({ consent: "full" });
  });

  it("draws the pictures, with a table behind each", async () => {
    await showResults();
    await chart("Latency against size").locator(denseDot).first().waitFor();
    const picture = panel.page.getByRole("region", { name: "Latency against size" });
    await picture
      .getByRole("img", { name: "End to end at 25 tokens against the number of parameters" })
      .first()
      .waitFor();
    await picture.getByText("Show as table").click();
    const row = picture.getByRole("row", { name: /^Llama 70B hot\/cold/ });
    expect(await row.innerText()).toBe("Llama 70B hot/cold\thot/cold\t70B\t4.3 s (4 to 4.5 s)\tcomputed\tyes");
  });

  it("lets the keyboard walk the points, and makes one of them the model in use", async () => {
    await showResults();
    await chart("Latency against size").locator(denseDot).first().waitFor();
    await chart("Latency against size").focus();
    await panel.page.keyboard.press("ArrowRight");
    await panel.page.keyboard.press("ArrowRight");
    const card = results().locator("div.selected");
    await card.getByText("Llama 7B hot/cold", { exact: true }).waitFor();
    const { y = Number.NaN, height = Number.NaN } = (await card.boundingBox()) ?? {};
    expect(y + height).toBeLessThanOrEqual(900); // Beside the picture, though its place is further down.
    await card.getByText("Use for completion").click();
    expect(await panel.told("use")).toEqual({ type: "use", runId: madeUpView().runId, subject: "hot-cold-7b" });
    await card.getByRole("button", { name: "Dismiss" }).click();
    await card.waitFor({ state: "hidden" });
    await chart("Latency against size").press("ArrowLeft");
    await card.waitFor();
    await chart("Latency against size").press("Escape");
    await card.waitFor({ state: "hidden" });
  });

  it("has the way to use a model in reach, however narrow it is", async () => {
    await showResults();
    for (const width of [900, 300]) {
      await panel.page.setViewportSize({ width, height: 700 });
      const use = results().getByRole("button", { name: "Use Llama 7B hot/cold for completion" });
      const box = await use.boundingBox();
      expect(box?.width).toBeGreaterThanOrEqual(24);
      expect((box?.x ?? Number.NaN) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      await use.click();
      expect(await panel.told("use")).toEqual({ type: "use", runId: madeUpView().runId, subject: "hot-cold-7b" });
    }
  });

  it("sorts the table, keeps the focus, and shows the columns that are wanted", async () => {
    await showResults();
    const head = results().getByRole("columnheader", { name: "Decode" });
    await head.getByRole("button").press("Enter");
    await results().locator('th[aria-sort="ascending"]', { hasText: "Decode" }).waitFor();
    // Each click counts, also before the last one has been drawn: down and up again.
    await head.getByRole("button").evaluate((sort: HTMLElement) => {
      sort.click();
      sort.click();
    });
    await settled(panel);
    expect(await head.getAttribute("aria-sort")).toBe("ascending");
    await head.getByRole("button").press("Enter");
    await results().locator('th[aria-sort="descending"]').waitFor();
    expect(await panel.page.evaluate(() => (document.activeElement as HTMLElement).dataset.column)).toBe("decode");
    const first = results().locator("[aria-label='Table of results'] tbody tr").first();
    expect(await first.innerText()).toContain("Llama 7B hot/cold");
    await results().getByText("Columns", { exact: true }).click();
    await results().locator("vscode-checkbox").getByText("TTFT").click();
    await results().getByRole("columnheader", { name: "TTFT" }).waitFor();
  });

  it("sets subjects side by side, with the problems in which they differ", async () => {
    await showResults();
    const pairs = results().getByRole("region", { name: "Quality, pair by pair" }).first();
    const row = pairs.getByRole("row", { name: /Llama 7B GPTQ/ });
    expect(await row.innerText()).toContain("-4.3 (-8.1 to -0.4) points");
    await pairs.getByText("Flips", { exact: true }).click();
    expect(await row.last().innerText()).toContain("HumanEval/5, HumanEval/90");
  });

  it("shows hostile names as text", async () => {
    await showResults();
    await results()
      .getByRole("rowheader", { name: /<img src=x onerror/ })
      .waitFor();
    expect(await panel.page.locator("img").count()).toBe(0);
  });

  it("asks again which subject to take, when the budget or the results change", async () => {
    await showResults();
    expect(await panel.told("recommend")).toMatchObject({ budgetMs: 300 });
    const budget = panel.page.getByRole("textbox", { name: "A line of 25 tokens may take (ms)" });
    await budget.fill("500");
    await expect.poll(async () => (await panel.told("recommend")).budgetMs).toBe(500);
    const asked = panel.sent.length;
    await budget.fill("0");
    await results().getByText("A whole number of at least 1.").waitFor();
    expect(panel.sent.slice(asked)).toEqual([]);
  });

  it("answers first which model to use, above what is to be known and in the first screen", async () => {
    await showResults();
    const card = results().getByRole("region", { name: "Recommendation" });
    const use = card.getByRole("button", { name: "Use for completion" });
    const { runId } = madeUpView();
    const text = "Llama 7B hot/cold solves most of HumanEval.";
    await panel.tell({ type: "recommendation", runId, subject: "hot-cold-7b", text });
    await card.getByText(text).waitFor();
    const { y = Number.NaN, height = Number.NaN } = (await card.boundingBox()) ?? {};
    expect(y + height).toBeLessThan((await results().getByText("2 warnings").boundingBox())?.y ?? 0);
    expect(y + height).toBeLessThan(400);
    await use.click();
    expect(await panel.told("use")).toEqual({ type: "use", runId, subject: "hot-cold-7b" });
    await panel.tell({ type: "recommendation", runId, subject: "server-7b", text: "A server is best." });
    await use.waitFor({ state: "hidden" });
  });

  it("keeps what it tells in sight until it is put away", async () => {
    await showResults();
    await results().getByText("Reproduction bundle").scrollIntoViewIfNeeded();
    await panel.tell({ type: "notice", kind: "info", text: "Completions now come from Llama 7B." });
    const told = panel.page.getByText("Completions now come from Llama 7B.");
    await expect.poll(async () => (await told.boundingBox())?.y ?? -1).toBeGreaterThan(0);
    expect(await panel.page.evaluate(() => scrollY)).toBeGreaterThan(500);
    await panel.page.getByRole("button", { name: "Dismiss" }).click();
    await told.waitFor({ state: "hidden" });
  });

  it("shows each page from its top", async () => {
    await showResults();
    await results().getByText("Reproduction bundle").scrollIntoViewIfNeeded();
    await panel.tell({ type: "show", tab: "history" });
    await results().waitFor({ state: "hidden" });
    await panel.tell({ type: "show", tab: "results" });
    await expect.poll(() => panel.page.evaluate(() => scrollY)).toBe(0);
  });

  it("keeps the hint at a point while results come, until it is left", async () => {
    await showResults();
    const picture = chart("Latency against size");
    const hint = picture.locator("svg text", { hasText: "dense, 7B parameters" });
    await picture.locator(denseDot).first().waitFor();
    await picture.press("ArrowRight");
    await hint.waitFor({ state: "attached" });
    await panel.tell({ type: "view", view: madeUpView({ state: "running" }) });
    await results().getByRole("heading", { name: "(running)" }).waitFor();
    await settled(panel);
    expect(await hint.count()).toBe(1);
    await picture.press("Escape");
    await panel.tell({ type: "view", view: madeUpView() });
    await results().getByRole("heading", { name: "(complete)" }).waitFor();
    await settled(panel);
    expect(await hint.count()).toBe(0);
  });

  it("leaves no error bar behind where a figure has lost its interval", async () => {
    await showResults();
    const bars = chart("Latency against size").locator('svg path[stroke-width="1.25"]');
    await bars.first().waitFor({ state: "attached" });
    const view = madeUpView();
    const rows = view.rows.map((row) => ({ ...row, figures: bareFigures(row) }));
    await panel.tell({ type: "view", view: { ...view, rows } });
    await expect.poll(() => bars.count()).toBe(0);
  });

  it("keeps hidden what was hidden in a picture, while results come", async () => {
    await showResults();
    const dots = chart("Latency against size").locator(denseDot);
    await dots.nth(2).waitFor();
    await chart("Latency against size")
      .locator("svg text", { hasText: /^dense$/ })
      .click();
    await expect.poll(() => dots.count()).toBe(0);
    await panel.tell({ type: "view", view: madeUpView({ state: "running" }) });
    await results().getByRole("heading", { name: "(running)" }).waitFor();
    await settled(panel);
    expect(await dots.count()).toBe(0);
  });

  it("opens, compares and deletes runs of before", async () => {
    await showResults();
    await panel.page.getByRole("tab", { name: "Results" }).press("ArrowRight");
    const older = panel.page.getByRole("listitem").filter({ hasText: "20 Nov 2026" });
    await older.getByText("Compare").click();
    expect(await panel.told("compare")).toMatchObject({ runId: "20261120-090000-77aa01" });
    await panel.tell({ type: "comparison", view: olderView() }, { type: "show", tab: "results" });
    const picture = panel.page.getByRole("region", { name: "Compared with another run" });
    await picture.getByText("Show as table").click();
    expect(await picture.getByRole("row", { name: /^Llama 7B dense/ }).innerText()).toContain("0.80");
    expect((await picture.boundingBox())?.y).toBeLessThan(200); // What was asked for comes first.
    await picture.getByText("End comparison").click();
    await picture.waitFor({ state: "hidden" });
  });

  it("says of runs that cannot be read why, and deletes them", async () => {
    const runId = "20261101-080000-0a1b2c";
    const problem = "The record is of version 2.";
    const unreadable = [{ runId, startedAt: "2026-11-01T08:00:00.000Z", problem }];
    await panel.tell({ type: "runs", runs: [], unreadable }, { type: "show", tab: "history" });
    await panel.page.getByRole("listitem").filter({ hasText: problem }).getByText("Delete").click();
    expect(await panel.told("delete")).toEqual({ type: "delete", runId });
  });

  it("fits into 300 pixels", async () => {
    await panel.page.setViewportSize({ width: 300, height: 700 });
    const label = "deepseek-coder-v2-lite-instruct-q4_k_m-imatrix.gguf";
    const long = { path: `/${label}`, label, detail: `/models${"/of/some/other/tool".repeat(3)}`, isActive: false };
    await panel.tell({ type: "choices", choices: { ...madeUpChoices, models: [...madeUpChoices.models, long] } });
    await showResults();
    for (const tab of ["New run", "Results", "History"]) {
      await panel.page.getByRole("tab", { name: tab }).click();
      await panel.page.getByRole("tabpanel", { name: tab }).waitFor();
      expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBe(300);
    }
  });

  it("draws no picture under its legend, however many rows that takes", async () => {
    await panel.page.setViewportSize({ width: 300, height: 700 });
    const { rows, ...view } = madeUpView();
    const sparse = rows.filter(({ method }) => method === "hot/cold");
    const approximate = sparse.map((row) => ({ ...row, id: `${row.id} again`, mode: "predicted" as const }));
    await panel.tell(
      { type: "view", view: { ...view, rows: [...rows, ...approximate] } },
      { type: "show", tab: "results" },
    );
    const picture = chart("Latency against size");
    await picture.getByText("Pareto front").waitFor();
    await settled(panel);
    const room = await picture.evaluate((drawn: HTMLElement) => {
      const last = [...drawn.querySelectorAll("text")].find(({ textContent }) => textContent === "Pareto front");
      const lines = [...drawn.querySelectorAll('path[stroke="#9d9d9d"]')].map(
        (line) => line.getBoundingClientRect().top,
      );
      return Math.min(...lines) - (last?.getBoundingClientRect().bottom ?? Number.NaN);
    });
    expect(room).toBeGreaterThan(6); // Half the height of what stands at the end of the axis.
  });

  it("takes the colours of another theme at once", async () => {
    await showResults();
    await chart("Latency against size").locator(denseDot).first().waitFor();
    await panel.use("light");
    await chart("Latency against size").locator('svg path[fill="#0067a3"]').first().waitFor();
    await panel.use("contrast");
    await chart("Latency against size").locator('svg path[fill="#6cc7ff"]').first().waitFor();
  });

  it("gives every control a name", async () => {
    await panel.tell({ type: "choices", choices: madeUpChoices });
    await showResults();
    for (const tab of ["New run", "Results"]) {
      await panel.page.getByRole("tab", { name: tab }).click();
      await panel.page.getByRole("tabpanel", { name: tab }).waitFor();
      // As a screen reader is told: one control per line, its name in quotes behind its kind.
      const told = await panel.page.getByRole("tabpanel", { name: tab }).ariaSnapshot();
      const controls = told
        .split("\n")
        .filter((line: string) => /- (button|checkbox|textbox|spinbutton|combobox)\b/.test(line));
      expect(controls.length).toBeGreaterThan(10);
      expect(controls.filter((line: string) => !/- \w+ "\S/.test(line))).toEqual([]);
    }
  });

  it("keeps every frame of a run under 50 ms", async () => {
    await showResults();
    await chart("Latency against size").locator(denseDot).first().waitFor();
    await browser.startTracing(panel.page, { categories: ["__metadata", "disabled-by-default-devtools.timeline"] });
    for (let step = 1; step <= 10; step++) {
      const view = madeUpView({ state: "running" });
      const rows = view.rows.map((row) => slowedBy(row, step));
      await panel.tell({ type: "view", view: { ...view, rows } }, { type: "live", run: { ...live, done: step } });
      await panel.page.waitForTimeout(100);
    }
    const tasks = taskTimes(await browser.stopTracing());
    const [longest = Number.NaN] = tasks.toSorted((a, b) => b - a);
    console.log(`longest of ${tasks.length} tasks of the page: ${longest.toFixed(1)} ms of processor time`);
    expect(tasks.length).toBeGreaterThan(20);
    expect(longest).toBeLessThan(50);
  });
});

/** What the page was told has been drawn. */
async function settled({ page }: PanelPage): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve))));
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
}

function bareFigures({ figures }: ResultRow): ResultRow["figures"] {
  const bare = Object.entries(figures).map(([id, figure]) => [id, { ...figure, low: null, high: null }]);
  return Object.fromEntries(bare);
}

function slowedBy(row: ResultRow, ms: number): ResultRow {
  const { e2e25Ms } = row.figures;
  return e2e25Ms ? { ...row, figures: { ...row.figures, e2e25Ms: { ...e2e25Ms, value: e2e25Ms.value + ms } } } : row;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the processor; other programs on this machine do not count. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Milliseconds that each task of the page's own thread took. */
function taskTimes(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString("utf8")) as { traceEvents: readonly TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const isName = ({ name, args }: TraceEvent) => name === "thread_name" && args?.name === "CrRendererMain";
  const pages = new Set(traceEvents.filter(isName).map(threadOf));
  const isTask = (event: TraceEvent) => event.name === "RunTask" && pages.has(threadOf(event));
  return traceEvents.filter(isTask).map(({ tdur = 0 }) => tdur / 1000);
}
