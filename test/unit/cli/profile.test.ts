import { describe, expect, it } from "vitest";
import { drawProfile } from "../../../src/cli/profilePicture.ts";
import { describeProfile } from "../../../src/cli/profileText.ts";
import type { ProfiledLayer, ProfileSummary } from "../../../src/protocol/planning.ts";

/** Twenty points; the first tenth of the neurons has half of the activity. */
const skewed: ProfiledLayer = {
  neuronCount: 1000,
  tokens: 500,
  activeShare: 0.123,
  curve: Array.from({ length: 20 }, (_, i) => (i < 2 ? 0.25 * (i + 1) : 0.5 + (0.5 * (i - 1)) / 18)),
  hottest26: 0.59,
};
const summary: ProfileSummary = {
  modelName: 'a "model" <of> mine',
  layers: [skewed, { ...skewed, neuronCount: 0, activeShare: 0, curve: Array(20).fill(0), hottest26: 0 }],
};

describe("describeProfile", () => {
  it("draws a line per layer", () => {
    expect(describeProfile(summary).split("\n")).toEqual([
      'a "model" <of> mine: 2 layers, 500 tokens',
      "What the hottest 10, 26 and 50 % of the neurons have of all activations, and activity from the hottest on:",
      "",
      "  layer  neurons  active  10 %  26 %  50 %  activity",
      "  0      1000     12 %    50 %  59 %  72 %  ██▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁",
      "  1      none",
    ]);
  });

  it("says when there is nothing to leave out", () => {
    const even = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    const dense = { ...skewed, activeShare: 1, curve: even };
    expect(describeProfile({ modelName: "m", layers: [dense] })).toContain("nothing that hot/cold could leave out");
  });
});

describe("drawProfile", () => {
  it("makes a picture for bright and dark screens, with the name escaped", () => {
    const svg = drawProfile(summary);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).toContain("a &#34;model&#34; &#60;of&#62; mine");
    expect(svg.match(/class="heat"/g)).toHaveLength(20);
    // The hottest tenth: five times as active as the mean, which is 12.3 %.
    expect(svg.match(new RegExp(`fill-opacity="${Math.sqrt(5 * 0.123).toFixed(3)}"`, "g"))).toHaveLength(2);
  });

  it("stays a picture without layers", () => {
    expect(drawProfile({ modelName: "none", layers: [] })).not.toContain("NaN");
  });
});
