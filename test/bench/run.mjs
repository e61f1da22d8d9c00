// `npm run bench [-- NAME ...]`: measures the product as built; prints a table and writes test/results/bench.json.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { benchProgram } from "../../native/build.mjs";

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
const { status } = spawnSync(process.execPath, [outfile, root, benchProgram(), ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
