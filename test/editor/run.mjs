// The editor tests: `npm test -- editor`.
import { desktopSuiteName, runInDesktop } from "./desktop.mjs";
import { hostSuiteName, runInExtensionHost } from "./host.mjs";
import { installEditor } from "./install.mjs";
import { Report } from "./report.mjs";
import { runUiChecks, uiCheckNames } from "./ui.mjs";

/**
 * @param {{ vsix: string, log: (line: string) => void }} options
 * @returns {Promise<{ passed: number, failed: number, skipped: { name: string, reason: string }[] }>}
 */
export async function runEditorTests({ vsix, log }) {
  // Ctrl+C alone would end this process without its "exit" event, in which the editor's processes are ended.
  const onSignal = () => process.exit(130);
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await runSuites({ vsix, log });
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

async function runSuites({ vsix, log }) {
  const report = new Report(log);
  const editor = await installEditor({ log });
  if (editor.available) {
    await runUiChecks({ editor, vsix, report });
    await runInExtensionHost({ editor, vsix, report });
  } else {
    for (const name of [...uiCheckNames, hostSuiteName]) report.skip(name, editor.reason);
  }
  const executable = process.env.VSCODE_EXECUTABLE;
  if (executable) await runInDesktop({ executable, report });
  else report.skip(desktopSuiteName, "set VSCODE_EXECUTABLE to the executable of a desktop VS Code to run it");
  const { passed, failed, skipped } = report;
  return { passed, failed, skipped };
}
