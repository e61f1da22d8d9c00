// Measures the extension host of a real editor: what Hotpath's code costs while a person types into a large file.
import { readFileSync } from "node:fs";
import path from "node:path";
import { makePackage } from "../../esbuild.mjs";
import { installExtension, startCodeServer } from "./codeServer.mjs";
import { runSuite } from "./host.mjs";
import { installEditor } from "./install.mjs";
import { Profile } from "./profile.mjs";

/** What suite/measure.js writes, or the reason why there is no editor to measure. */
export async function measureExtensionHost() {
  const editor = await installEditor();
  if (!editor.available) return { reason: editor.reason };
  const profile = new Profile();
  const resultsFile = path.join(profile.directory, "results.json");
  try {
    await installExtension(editor, profile, makePackage());
    const env = { HOTPATH_TEST_RESULTS: resultsFile };
    const server = await startCodeServer(editor, profile, { env, inHostTests: true });
    try {
      await runSuite({ editor, profile, server, entry: "measure.js" });
    } finally {
      await server.stop();
    }
    return JSON.parse(readFileSync(resultsFile, "utf8"));
  } finally {
    profile.remove();
  }
}
