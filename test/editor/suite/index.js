// What the extension host loads through extensionTestsPath, in code-server and in desktop VS Code alike.
const fs = require("node:fs");
const path = require("node:path");
const Mocha = require("mocha");

/** Runs the suite; its results go to the file that HOTPATH_TEST_RESULTS names. */
exports.run = async () => {
  const mocha = new Mocha({ ui: "bdd", timeout: 30_000 });
  for (const name of ["extension.test.js", "completion.test.js"]) mocha.addFile(path.join(__dirname, name));
  const results = [];
  const failures = await new Promise((resolve) => {
    const runner = mocha.run(resolve);
    runner.on("pass", (test) => results.push({ name: test.fullTitle(), ms: test.duration }));
    runner.on("fail", (test, error) => results.push({ name: test.fullTitle(), error: error.stack ?? String(error) }));
  });
  fs.writeFileSync(process.env.HOTPATH_TEST_RESULTS, JSON.stringify(results));
  if (failures > 0) throw new Error(`${failures} tests failed`);
};
