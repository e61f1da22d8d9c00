// A profile as an SVG picture: a row per layer, its neurons from the hottest to the coldest, shaded by activity.
import type { ProfileSummary } from "../protocol/planning.ts";
import { formatPercent } from "./format.ts";
import { densities } from "./profileText.ts";

const margin = { left: 64, top: 64, right: 150, bottom: 48 };
const cellWidth = 26;
const shareColumn = 60;

export function drawProfile({ modelName, layers }: ProfileSummary): string {
  const rowHeight = Math.max(8, Math.min(24, 480 / layers.length));
  const columns = layers[0]?.curve.length ?? 0;
  const width = margin.left + columns * cellWidth + margin.right;
  const height = margin.top + layers.length * rowHeight + margin.bottom;
  const labelEvery = Math.ceil(14 / rowHeight);
  const right = margin.left + columns * cellWidth;
  const bottom = margin.top + layers.length * rowHeight;
  const text = (x: number, y: number, content: string, attributes = "") =>
    `<text x="${x}" y="${y.toFixed(1)}"${attributes}>${escapeXml(content)}</text>`;

  const rows = layers.flatMap(({ curve, activeShare, hottest26, neuronCount }, index) => {
    const y = margin.top + index * rowHeight;
    const middle = y + rowHeight / 2 + 4;
    const cells =
      neuronCount === 0 ? [] : densities(curve).map((density, column) => cell(column, y, density * activeShare));
    if (index % labelEvery !== 0) return cells;
    return [
      ...cells,
      text(margin.left - 8, middle, String(index), ' text-anchor="end"'),
      text(right + 10, middle, neuronCount === 0 ? "none" : formatPercent(activeShare)),
      text(right + 10 + shareColumn, middle, neuronCount === 0 ? "" : formatPercent(hottest26)),
    ];
  });

  /** Shaded by the root of how often its neurons are active: what is seldom active is still seen. */
  function cell(column: number, y: number, frequency: number): string {
    const opacity = Math.sqrt(Math.min(1, frequency));
    return `<rect x="${margin.left + column * cellWidth}" y="${y.toFixed(1)}" width="${cellWidth - 1}" height="${(rowHeight - 1).toFixed(1)}" fill-opacity="${opacity.toFixed(3)}" class="heat"/>`;
  }

  const ticks = [0, 25, 50, 75, 100].map((percent) =>
    text(
      margin.left + (percent / 100) * columns * cellWidth,
      bottom + 18,
      `${percent} %`,
      ' text-anchor="middle" class="dim"',
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height.toFixed(0)}" width="${width}" height="${height.toFixed(0)}">`,
    "<style>",
    "  .paper { fill: #ffffff } .heat { fill: #c2410c } text { fill: #1f2328; font: 12px system-ui, sans-serif }",
    "  .dim { fill: #59636e } .title { font-size: 15px; font-weight: 600 }",
    "  @media (prefers-color-scheme: dark) {",
    "    .paper { fill: #15181c } .heat { fill: #fb923c } text { fill: #e6edf3 } .dim { fill: #9198a1 }",
    "  }",
    "</style>",
    `<rect class="paper" width="100%" height="100%"/>`,
    text(margin.left, 26, `${modelName}: where the activations are`, ' class="title"'),
    text(margin.left, 46, "layer by layer; the stronger, the more often active", ' class="dim"'),
    text(right + 10, 46, "active", ' class="dim"'),
    text(right + 10 + shareColumn, 30, "hottest 26 %", ' class="dim"'),
    text(right + 10 + shareColumn, 46, "have", ' class="dim"'),
    ...rows,
    ...ticks,
    text(margin.left, bottom + 38, "neurons, the hottest first", ' class="dim"'),
    "</svg>",
    "",
  ].join("\n");
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
