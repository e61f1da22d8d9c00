// `npm test`: builds, then every stage in order; stops at the first that fails.
//   npm test -- unit engine     only these stages
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, makePackage } from "../esbuild.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = path.join(root, "test", "results");
const bin = (name) => path.join(root, "node_modules", ".bin", name);

/** A stage gives its counts and the reason for each check it skipped. */
const stages = {
  format: () => check(bin("biome"), ["ci", "--error-on-warnings", "."]),
  types: () => sum([".", "src/panel/page"].map((project) => check(bin("tsc"), ["-p", project]))),
  tidy: () => vitest("test/tidy"),
  unit: () => vitest("test/unit"),
  native: async () => (await import("./native/run.mjs")).runNativeTests({ log: console.log }),
  engine: () => vitest("test/engine"),
  sandbox: () => vitest("test/sandbox"),
  panel: () => vitest("test/panel"),
  package: () => vitest("test/package"),
  editor: async () => (await import("./editor/run.mjs")).runEditorTests({ vsix: makePackage(), log: console.log }),
};

function check(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: [] };
}

function sum(counts) {
  const total = (key) => counts.reduce((all, count) => all + count[key], 0);
  return { passed: total("passed"), failed: total("failed"), skipped: counts.flatMap(({ skipped }) => skipped) };
}

function vitest(folder) {
  const report = path.join(results, `${path.basename(folder)}.json`);
  const args = [
    "run",
    "--config",
    "test/vitest.config.mjs",
    "--reporter=dot",
    `--reporter=${path.join(root, "test", "countsReporter.mjs")}`,
    `--outputFile=${report}`,
    folder,
  ];
  const { status } = spawnSync(bin("vitest"), args, { cwd: root, stdio: "inherit" });
  const counts = JSON.parse(readFileSync(report, "utf8"));
  // A file that does not load has no failed test, but the run has failed.
  return { ...counts, failed: Math.max(counts.failed, status === 0 ? 0 : 1) };
}

async function main() {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !Object.hasOwn(stages, name));
  if (unknown.length > 0)
    throw new Error(`no stage ${unknown.join(", ")}; there are ${Object.keys(stages).join(", ")}`);
  mkdirSync(results, { recursive: true });
  const rows = [];
  const timed = async (name, run) => {
    const start = performance.now();
    console.log(`\n── ${name}`);
    const counts = await run();
    rows.push({ name, ...counts, seconds: (performance.now() - start) / 1000 });
    return counts.failed === 0;
  };
  await timed("build", async () => {
    await build();
    return { passed: 0, failed: 0, skipped: [] };
  });
  for (const name of wanted.length > 0 ? wanted : Object.keys(stages)) {
    if (!(await timed(name, stages[name]))) break;
  }
  report(rows);
}

function report(rows) {
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  console.log("");
  for (const { name, passed, failed, skipped, seconds } of rows) {
    console.log(
      `${name.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${passed} passed, ${failed} failed, ${skipped.length} skipped`,
    );
    for (const { name: test, reason } of skipped) console.log(`         skipped: ${test}: ${reason}`);
  }
  const skipped = rows.reduce((total, row) => total + row.skipped.length, 0);
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed, ${skipped} skipped`);
  if (sum("failed") > 0) process.exitCode = 1;
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
