// How long the panel takes to show a long run: from its record to what the page is told, and in the page until it is drawn.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { RunEntry } from "../../src/benchmark/record/entries.ts";
import { readRecordFile } from "../../src/benchmark/record/recordFile.ts";
import { RecordWriter } from "../../src/benchmark/record/recordWriter.ts";
import { recordFile } from "../../src/benchmark/record/runs.ts";
import { summarize } from "../../src/benchmark/report/summary.ts";
import { panelHtml } from "../../src/panel/html.ts";
import type { ToPage } from "../../src/panel/protocol.ts";
import type { RunView } from "../../src/panel/runView.ts";
import { viewOf } from "../../src/panel/summaryView.ts";
import { exampleEntries } from "../support/benchmarkRecord.ts";
import { findChromium, launchChromium } from "../support/browser.mjs";
import { PanelPage } from "../support/panelPage.mjs";
import { atMost, type Bench, type Result, reported } from "./bench.ts";
import { median, quantile } from "./statistics.ts";

/** Ten timed outputs each. */
const rounds = 1000;
const opens = 9;
const limitMs = 1000;

export const openRecord: Bench = async () => {
  const folder = path.join(mkdtempSync(path.join(os.tmpdir(), "hp-")), "run");
  try {
    const lines = await writeRecord(folder);
    const processorMs: number[] = [];
    const times = await timesOf(async () => {
      const [start, used] = [performance.now(), process.cpuUsage()];
      JSON.stringify(await open(recordFile(folder)));
      const { user, system } = process.cpuUsage(used);
      processorMs.push((user + system) / 1000);
      return performance.now() - start;
    });
    const work = `${median(processorMs).toFixed(0)} ms of processor time`;
    const how = `a record of ${lines} lines, from its file to the message for the page; ${spreadOf(times)}; ${work}`;
    const opened = atMost("10,000 samples in the panel: read and summed up", median(times), "ms", limitMs, how);
    return [opened, ...(await drawing(await open(recordFile(folder))))];
  } finally {
    rmSync(path.dirname(folder), { recursive: true, force: true });
  }
};

/** As a run writes it; gives the number of its lines. */
async function writeRecord(folder: string): Promise<number> {
  const [run, ...entries] = exampleEntries(rounds);
  const writer = await RecordWriter.create(folder, run as RunEntry);
  for (const entry of entries) await writer.append(entry);
  await writer.close();
  return 1 + entries.length;
}

/** What the panel's host does when a run is opened. */
async function open(file: string): Promise<RunView> {
  const { record } = await readRecordFile(file);
  return viewOf(record, summarize(record), { state: "complete", adviceOn: () => "" });
}

async function drawing(view: RunView): Promise<Result[]> {
  const chromium = findChromium();
  if (!chromium) {
    process.stderr.write("the page is not measured: no Chromium or Chrome was found; CHROMIUM names one\n");
    return [];
  }
  const browser = await launchChromium(chromium);
  const html = panelHtml({ nonce: "n0nce", scriptUri: "main.js", styleUri: "style.css" });
  const messages: ToPage[] = [
    { type: "view", view },
    { type: "show", tab: "results" },
  ];
  try {
    const times = await timesOf(async () => {
      const panel = await PanelPage.open(browser, html);
      await panel.told("hello");
      const ms: number = await panel.page.evaluate(draw, messages);
      await panel.close();
      return ms;
    });
    const how = `in a fresh page, from the message until table and picture are there; ${spreadOf(times)}`;
    return [reported("10,000 samples in the panel: drawn", median(times), "ms", how)];
  } finally {
    await browser.close();
  }
}

/** Runs in the page. */
async function draw(messages: readonly ToPage[]): Promise<number> {
  const start = performance.now();
  for (const message of messages) window.postMessage(message, "*");
  const parts = ["[aria-label='Table of results'] tbody tr", "[aria-label='Latency against size'] .chart svg path"];
  while (!parts.every((part) => document.querySelector(part))) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  return performance.now() - start;
}

async function timesOf(measure: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < opens; count++) times.push(await measure());
  return times;
}

function spreadOf(times: readonly number[]): string {
  const [low, high] = [quantile(times, 0), quantile(times, 1)].map((ms) => ms.toFixed(0));
  return `median of ${times.length}, ${low} to ${high} ms, ${times[0]?.toFixed(0)} ms the first time`;
}
