// Loaded through extensionTestsPath by the benchmark: types into a large file and profiles the extension host meanwhile.
const fs = require("node:fs");
const { Session } = require("node:inspector/promises");
const path = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const vscode = require("vscode");

const lines = 20_000;
const typed = "    total = total + value\n    print(total)\n    if total > 10:\n        break\n".repeat(2);
const betweenKeysMs = 70;
const samplingUs = 200;

exports.run = async () => {
  const api = await vscode.extensions.getExtension("hotpath.hotpath").activate();
  const file = path.join(vscode.workspace.workspaceFolders[0].uri.fsPath, "large.py");
  fs.writeFileSync(file, "def step(value):\n    return value + 1\n".repeat(lines / 2));
  const editor = await vscode.window.showTextDocument(vscode.Uri.file(file));
  const end = editor.document.lineAt(lines / 2).range.end;
  editor.selection = new vscode.Selection(end, end);
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: samplingUs });
  await session.post("Profiler.start");
  for (const character of typed) {
    await vscode.commands.executeCommand("type", { text: character });
    await sleep(betweenKeysMs);
  }
  const { profile } = await session.post("Profiler.stop");
  const outcomes = api.lastOutcomes().length;
  fs.writeFileSync(
    process.env.HOTPATH_TEST_RESULTS,
    JSON.stringify({ ...blocksOf(profile), outcomes, keys: typed.length, lines }),
  );
};

/**
 * Times without a break in which code of Hotpath, or what it called, was on the stack. A sample that comes late says that
 * the host did not run, on a machine whose cores the browser and the engine share: `longestMs` leaves such pauses out.
 */
function blocksOf({ nodes, samples, timeDeltas }) {
  const lateUs = 10 * samplingUs;
  const isOurs = new Map();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (node, isBelowOurs) => {
    const is = isBelowOurs || node.callFrame.url.includes("hotpath.hotpath");
    isOurs.set(node.id, is);
    for (const child of node.children ?? []) visit(byId.get(child), is);
  };
  visit(nodes[0], false);
  const blocks = [];
  let block;
  for (const [index, sample] of samples.entries()) {
    if (!isOurs.get(sample)) {
      block = undefined;
      continue;
    }
    if (!block) {
      block = { ms: 0, pausedMs: 0 };
      blocks.push(block);
    }
    const deltaUs = timeDeltas[index];
    block[deltaUs > lateUs ? "pausedMs" : "ms"] += deltaUs / 1000;
  }
  const longest = (length) => Math.max(0, ...blocks.map(length));
  return {
    longestMs: longest(({ ms }) => ms),
    longestWithPausesMs: longest(({ ms, pausedMs }) => ms + pausedMs),
    oursMs: blocks.reduce((sum, { ms }) => sum + ms, 0),
    totalMs: timeDeltas.reduce((sum, delta) => sum + delta, 0) / 1000,
  };
}
