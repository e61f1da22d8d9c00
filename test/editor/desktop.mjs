// Runs the extension host's suite in a desktop VS Code, whose host is Electron's and not Node's.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { errorOf, reportResults, suiteFolder } from "./host.mjs";
import { Profile } from "./profile.mjs";

export const desktopSuiteName = "the extension in desktop VS Code";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** From the working tree, not from the package: installing takes a command line that differs by platform. */
export async function runInDesktop({ executable, report }) {
  const { runTests } = await import("@vscode/test-electron");
  const profile = new Profile();
  const resultsFile = path.join(profile.directory, "results.json");
  const run = runTests({
    vscodeExecutablePath: executable,
    extensionDevelopmentPath: [suiteFolder, repository],
    extensionTestsPath: path.join(suiteFolder, "index.js"),
    launchArgs: [profile.workspace, "--user-data-dir", profile.userData, "--extensions-dir", profile.extensions],
    extensionTestsEnv: {
      HOTPATH_RUNTIME_DIR: profile.runtime,
      HOTPATH_DATA_DIR: profile.kept,
      HOTPATH_LINGER_MS: "2000",
      HOTPATH_TEST_RESULTS: resultsFile,
    },
  });
  try {
    const failure = await errorOf(run);
    reportResults({ suite: desktopSuiteName, resultsFile, failure, report, profile });
  } finally {
    profile.remove();
  }
}
