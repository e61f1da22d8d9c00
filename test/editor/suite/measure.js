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

/** Times without a break in which code of Hotpath, or what it called, was on the stack. */
function blocksOf({ nodes, samples, timeDeltas }) {
  const isOurs = new Map();
  const visit = (node, isBelowOurs) => {
    const is = isBelowOurs || node.callFrame.url.includes("hotpath.hotpath");
    isOurs.set(node.id, is);
    for (const child of node.children ?? []) visit(byId.get(child), is);
  };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  visit(nodes[0], false);
  const blocksMs = [];
  let blockUs = 0;
  for (const [index, sample] of samples.entries()) {
    if (isOurs.get(sample)) blockUs += timeDeltas[index];
    else if (blockUs > 0) {
      blocksMs.push(blockUs / 1000);
      blockUs = 0;
    }
  }
  const totalMs = timeDeltas.reduce((sum, delta) => sum + delta, 0) / 1000;
  return { longestMs: Math.max(0, ...blocksMs), oursMs: blocksMs.reduce((sum, ms) => sum + ms, 0), totalMs };
}
