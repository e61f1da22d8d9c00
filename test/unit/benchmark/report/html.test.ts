import { describe, expect, it } from "vitest";
import type { RecordEntry } from "../../../../src/benchmark/record/entries.ts";
import { parseRecord } from "../../../../src/benchmark/record/parse.ts";
import { escapeHtml, renderHtmlReport } from "../../../../src/benchmark/report/html.ts";
import { exampleEntries, exampleRecord, recordText } from "../../../support/benchmarkRecord.ts";

const hostile = `<img src=x onerror="alert(1)"></style><script>alert('2')</script>&amp;`;

/** The example run with every name and message written by an enemy. */
function hostileRecord() {
  const rename = (entry: RecordEntry): RecordEntry => {
    if (entry.type === "run") {
      const subjects = entry.plan.subjects.map((subject) => ({ ...subject, label: hostile }));
      return { ...entry, plan: { ...entry.plan, subjects }, environment: { ...entry.environment, cpu: hostile } };
    }
    if (entry.type === "warning" || entry.type === "failure") return { ...entry, message: hostile };
    if (entry.type === "suite") return { ...entry, info: { ...entry.info, title: hostile, protocol: hostile } };
    if (entry.type === "subject")
      return { ...entry, facts: { ...entry.facts, placement: hostile, quantization: hostile } };
    return entry;
  };
  return parseRecord(recordText(exampleEntries().map(rename)));
}

/** A page is too long to be shown as what was not expected. */
function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([match]) => match);
}

describe("the HTML report", () => {
  const html = renderHtmlReport(exampleRecord());

  it("needs nothing from elsewhere and runs nothing", () => {
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(found(html, /<script|<link|<iframe|<object|<img|@import|url\((?!#)|javascript:/gi)).toEqual([]);
    const addresses = [...html.matchAll(/https?:\/\/[^"\s<]+/g)].map(([address]) => address);
    expect([...new Set(addresses)].sort()).toEqual(["http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"]);
  });

  it("holds the facts, the pictures and the tables of the run", () => {
    expect(html).toContain("<h1>Hotpath benchmark 20261122-203000-3fa9c1</h1>");
    expect(html).toContain("<dt>Processor</dt><dd>Some Processor, 16 logical cores</dd>");
    expect(html.match(/<svg /g)).toHaveLength(5);
    expect(html).toContain("<h2>Quality, pair by pair</h2>");
    expect(html).toContain("Ollama failed in starter: The server answered 500.");
  });

  it("draws in the colours of the page, so that a dark page has dark pictures", () => {
    expect(found(html, /<path [^>]*fill="var\(--dense\)"/g).length).toBeGreaterThan(0);
    expect(found(html, /<text [^>]*fill="var\(--foreground\)"/g).length).toBeGreaterThan(0);
    expect(html).toContain("@media (prefers-color-scheme: dark) { :root { --background: #1f1f1f;");
    const drawn = html.slice(html.indexOf("<body>"));
    expect(found(drawn, /(?:fill|stroke)="#[0-9a-f]{6}"/g)).toEqual([]);
  });

  it("gives every picture ids of its own", () => {
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(3);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("holds hostile names as text, wherever they stand", () => {
    const report = renderHtmlReport(hostileRecord());
    expect(found(report, /<img|<script/gi)).toEqual([]);
    expect(found(report, /<\/style>/g)).toHaveLength(1);
    expect(report).toContain(escapeHtml(hostile));
  });
});
