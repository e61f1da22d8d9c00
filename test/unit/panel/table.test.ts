import { describe, expect, it } from "vitest";
import {
  comparedPoints,
  comparisonNotes,
  type FigureId,
  figureKind,
  presentFigures,
  type ResultRow,
} from "../../../src/panel/runView.ts";
import { cellLines, firstSorting, nextSorting, shownColumns, sortRows } from "../../../src/panel/table.ts";
import { madeUpView, olderView } from "../../support/panelViews.ts";

const row = (label: string, decode: number | null): ResultRow => ({
  id: label,
  label,
  method: "dense",
  mode: null,
  family: "llama",
  isComputed: false,
  fileSha256: null,
  settings: "",
  figures: decode === null ? {} : { decode: { value: decode, low: decode - 1, high: decode + 1 } },
  notes: [],
  canBeUsed: true,
});
const labels = (rows: readonly ResultRow[]) => rows.map(({ label }) => label);

describe("the table of results", () => {
  const rows = [row("70B", 3), row("7B", 30), row("none", null), row("13B", 12)];

  it("sorts names with numbers in them by the numbers", () => {
    expect(labels(sortRows(rows, firstSorting))).toEqual(["7B", "13B", "70B", "none"]);
  });

  it("keeps rows without the figure at the end, in both directions", () => {
    expect(labels(sortRows(rows, { column: "decode", isDescending: false }))).toEqual(["70B", "13B", "7B", "none"]);
    expect(labels(sortRows(rows, { column: "decode", isDescending: true }))).toEqual(["7B", "13B", "70B", "none"]);
  });

  it("turns around when the same column is chosen again", () => {
    const once = nextSorting(firstSorting, "decode");
    expect(once).toEqual({ column: "decode", isDescending: false });
    expect(nextSorting(once, "decode").isDescending).toBe(true);
    expect(nextSorting(nextSorting(once, "decode"), "decode").isDescending).toBe(false);
  });

  it("shows the usual columns and every score until the user chooses", () => {
    const view = madeUpView();
    const present = presentFigures(view.rows, view.quality);
    expect(present).not.toContain("joulesPerToken");
    expect(shownColumns(present, null)).toEqual([
      "parameters",
      "e2e25Ms",
      "tpotMs",
      "quality:humaneval",
      "decode",
      "residentBytes",
      "gpuBytes",
    ] satisfies FigureId[]);
    expect(shownColumns(present, ["ttftMs", "joulesPerToken"])).toEqual(["ttftMs"]);
  });

  it("writes a figure and its interval apart, and a dash where nothing was measured", () => {
    expect(cellLines(row("7B", 30), "decode", [])).toEqual({ value: "30 tok/s", interval: "29 to 31 tok/s" });
    expect(cellLines(row("7B", null), "decode", [])).toEqual({ value: "–", interval: "" });
  });

  it("names a score by its suite and protocol", () => {
    const { quality } = madeUpView();
    expect(figureKind("quality:humaneval", quality)).toMatchObject({
      title: "HumanEval",
      description: "HumanEval, HE-base-greedy",
    });
  });
});

describe("the comparison of two runs", () => {
  it("says what else is not the same, and pairs no two files", () => {
    const [dense, hot] = madeUpView().rows;
    if (!dense || !hot) throw new Error("there are rows");
    const before = madeUpView({ rows: [{ ...dense, fileSha256: "a" }, hot] });
    const after = madeUpView({
      rows: [
        { ...dense, fileSha256: "b" },
        { ...hot, settings: "GPU" },
      ],
      machine: "Another",
      questions: { HumanEval: "other" },
    });
    expect(comparisonNotes(before, before)).toEqual([]);
    expect(comparisonNotes(before, after)).toEqual([
      `The first ran on ${before.machine}; the second on Another.`,
      "HumanEval did not ask the same.",
      "Llama 7B dense is another model file in each run and is left out.",
      "Llama 7B hot/cold ran as 32 layers on CPU, 8 threads, then as GPU.",
    ]);
    expect(comparedPoints(before, after, "e2e25Ms").map(({ id }) => id)).toEqual(["hot-cold-7b"]);
  });

  it("pairs the subjects that both have measured", () => {
    const [before, after] = [olderView(), madeUpView({ rows: madeUpView().rows.slice(0, 2) })];
    const points = comparedPoints(before, after, "e2e25Ms");
    expect(points.map(({ id }) => id)).toEqual(["dense-7b", "hot-cold-7b"]);
    expect((points[0]?.before.value ?? 0) / (points[0]?.after.value ?? 1)).toBeCloseTo(1.25);
  });
});
