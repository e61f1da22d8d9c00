const assert = require("node:assert/strict");
const vscode = require("vscode");

/** A script in which even a very small model knows how the line goes on: `__ == "__main__":`. */
const script = (title) => `"""${title}."""\n\n\ndef main():\n    print("${title}")\n\n\nif __name`;

const settings = () => vscode.workspace.getConfiguration("hotpath");

describe("a completion in a real editor", () => {
  let api;

  before(async () => {
    api = await vscode.extensions.getExtension("hotpath.hotpath").activate();
  });

  afterEach(async () => {
    await settings().update("enabled", undefined, vscode.ConfigurationTarget.Global);
    await settings().update("languages", undefined, vscode.ConfigurationTarget.Global);
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  });

  it("comes from the engine the first time, with its timings", async () => {
    await open("first.py", script("First"));
    const { source, text, timings, stats } = await outcomeAfter(trigger);
    assert.equal(source, "engine");
    assert.notEqual(text, "");
    assert.ok(timings.ttftMs > 0 && timings.ttftMs <= timings.totalMs, JSON.stringify(timings));
    assert.ok(stats.generatedTokens > 0 && stats.decodeTokensPerSecond > 0, JSON.stringify(stats));
  });

  it("comes from what was typed when the user types along", async () => {
    await open("along.py", script("Typing along"));
    const { text } = await outcomeAfter(trigger);
    const { source, text: rest } = await outcomeAfter(() => type(text.slice(0, 1)));
    assert.deepEqual({ source, rest }, { source: "typed", rest: text.slice(1) });
  });

  it("comes from the cache when another file holds the same code", async () => {
    await open("original.py", script("Twins"));
    const original = await outcomeAfter(trigger);
    await open("copy.py", script("Twins"));
    const { source, text } = await outcomeAfter(trigger);
    assert.deepEqual({ source, text }, { source: "cache", text: original.text });
  });

  it("goes into the document when the editor accepts it", async () => {
    const document = await open("accept.py", script("Accept"));
    const { text } = await outcomeAfter(trigger);
    await until(async () => {
      await vscode.commands.executeCommand("editor.action.inlineSuggest.commit");
      return document.getText() !== script("Accept");
    }, "the text to be inserted");
    assert.equal(document.getText(), script("Accept") + text);
  });

  it("stays away as soon as the setting says so, and comes back with it", async () => {
    await open("switch.py", script("Switch"));
    await settings().update("enabled", false, vscode.ConfigurationTarget.Global);
    const { source, reason } = await outcomeAfter(trigger);
    assert.deepEqual({ source, reason }, { source: "none", reason: "off" });
    await settings().update("enabled", true, vscode.ConfigurationTarget.Global);
    // A key, because the editor asks only once about an unchanged place.
    assert.equal((await outcomeAfter(() => type("_"))).source, "engine");
  });

  it("stays away from a language that is switched off", async () => {
    await settings().update("languages", { python: false }, vscode.ConfigurationTarget.Global);
    await open("language.py", script("Language"));
    const { source, reason } = await outcomeAfter(trigger);
    assert.deepEqual({ source, reason }, { source: "none", reason: "language-off" });
  });

  it("never reads a file that may hold secrets", async () => {
    await open(".env", script("Secret"));
    const { source, reason, trace } = await outcomeAfter(trigger);
    assert.deepEqual({ source, reason }, { source: "none", reason: "secret-file" });
    assert.equal(trace.prefixLength, 0);
  });

  /** Does something and returns the first outcome it leads to that another request has not overtaken. */
  async function outcomeAfter(act) {
    const earlier = new Set(api.lastOutcomes());
    await act();
    const isOvertaken = ({ reason }) => reason === "superseded" || reason === "cancelled";
    return until(
      () => api.lastOutcomes().find((outcome) => !earlier.has(outcome) && !isOvertaken(outcome)),
      "an outcome",
    );
  }
});

/** Makes a file in the workspace and shows it with the cursor at its end. */
async function open(name, text) {
  const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders[0].uri, name);
  await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
  const document = await vscode.workspace.openTextDocument(uri);
  const editor = await vscode.window.showTextDocument(document);
  const end = document.positionAt(text.length);
  editor.selection = new vscode.Selection(end, end);
  return document;
}

function trigger() {
  return vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
}

function type(text) {
  return vscode.commands.executeCommand("type", { text });
}

/** Returns the first truthy value. */
async function until(look, what, timeoutMs = 20_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
