const assert = require("node:assert/strict");
const vscode = require("vscode");

const hotpath = vscode.extensions.getExtension("hotpath.hotpath");

describe("the extension in its host", () => {
  it("activates within a second", () => {
    const { wasActive, activationMs } = vscode.extensions.getExtension("hotpath.hotpath-tests").exports;
    assert.equal(wasActive, false, "it was active before it could be timed");
    assert.ok(activationMs < 1000, `activation took ${activationMs} ms`);
  });

  it("registers every command of its manifest", async () => {
    const registered = new Set(await vscode.commands.getCommands(true));
    const contributed = hotpath.packageJSON.contributes.commands.map(({ command }) => command);
    assert.ok(contributed.length >= 10);
    assert.deepEqual(
      contributed.filter((command) => !registered.has(command)),
      [],
    );
  });

  it("asks for no proposed API", () => {
    assert.equal(hotpath.packageJSON.enabledApiProposals, undefined);
  });
});
