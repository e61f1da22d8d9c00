// `npm run bench [-- NAME ...]`: measures the product as built; prints a table and writes test/results/bench.json.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { benchProgram, sparseBenchProgram, synthProgram } from "../../native/build.mjs";
import { measureExtensionHost } from "../editor/measure.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const outfile = path.join(root, "build", "bench", "main.mjs");
await build({
  entryPoints: [path.join(root, "test/bench/main.ts")],
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  packages: "external",
  outfile,
});
const wanted = process.argv.slice(2);
const isHostWanted = wanted.length === 0 || wanted.includes("extensionHost");
const host = isHostWanted ? await measureExtensionHost() : { reason: "not asked for" };
const context = {
  root,
  host,
  benchProgram: benchProgram(),
  sparseBenchProgram: sparseBenchProgram(),
  synthProgram: synthProgram(),
};
const { status } = spawnSync(process.execPath, [outfile, JSON.stringify(context), ...wanted], { stdio: "inherit" });
process.exitCode = status ?? 1;
