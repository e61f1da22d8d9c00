// The HTML report as a browser shows it, and as it is printed.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderHtmlReport } from "../../src/benchmark/report/html.ts";
import { exampleRecord } from "../support/benchmarkRecord.ts";
import { findChromium, launchChromium } from "../support/browser.mjs";

const chromium = findChromium();
const html = renderHtmlReport(exampleRecord(60));
/** What A4 leaves of its longer side, in pixels of CSS. */
const paperWidth = Math.round(((297 - 2 * 12) / 25.4) * 96);

const withChromium = { meta: { reason: "there is no Chromium; install one or set CHROMIUM to its path" } };
describe.runIf(chromium)("the HTML report in a browser", withChromium, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(chromium);
  }, 60_000);
  afterAll(() => browser.close());

  it("is printed whole: no table is wider than the paper", async () => {
    const page = await browser.newPage({ viewport: { width: paperWidth, height: 700 } });
    await page.setContent(html);
    await page.emulateMedia({ media: "print" });
    const widths = await page
      .locator("table, svg")
      .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().right));
    expect(widths.length).toBeGreaterThan(5);
    expect(Math.max(...widths)).toBeLessThanOrEqual(paperWidth);
    await page.close();
  });

  it("fits into 360 pixels; wide tables scroll by themselves", async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 700 } });
    await page.setContent(html);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await page.close();
  });
});
