// What programs end with, in one interpreter without walls: these programs do no harm, and leave it usable.
import { readFileSync } from "node:fs";
import path from "node:path";
import type { PyodideAPI } from "pyodide";
import { beforeAll, describe, expect, it } from "vitest";
import { runProgram, startInterpreter } from "../../src/sandbox/interpreter.ts";
import { product } from "./targets.ts";

let python: PyodideAPI;

beforeAll(async () => {
  const folder = path.join(product, "pyodide");
  python = await startInterpreter({
    indexURL: folder + path.sep,
    lockFileContents: readFileSync(path.join(folder, "pyodide-lock.json"), "utf8"),
    snapshot: readFileSync(path.join(folder, "snapshot.bin")),
  });
}, 60_000);

const passed = { outcome: "passed", message: null };

describe("a program", () => {
  it("passes when it runs to its end, whatever it prints", () => {
    const source = 'import math\nprint("failed\\n" * 99)\nassert math.isqrt(26) == 5\n';
    expect(runProgram(python, source)).toEqual(passed);
  });

  it.each([
    ["an assertion fails", "assert 1 == 2, 'not equal'", "failed", "AssertionError: not equal"],
    ["it raises", "{}['key']", "failed", "KeyError: 'key'"],
    ["it calls itself for ever", "def f(): f()\nf()", "failed", "RecursionError: maximum recursion depth exceeded"],
    ["it reads from stdin", "input()", "failed", "EOFError: EOF when reading a line"],
    ["it does not parse", "def f(:\n  pass", "syntax-error", "SyntaxError: invalid syntax"],
    ["it is not indented as Python wants it", "  x = 1", "syntax-error", "IndentationError: unexpected indent"],
    ["it holds a null byte", "x = '\0'", "syntax-error", "SyntaxError: source code string cannot contain null bytes"],
    ["code it compiles itself does not parse", "exec('a b')", "failed", "SyntaxError: invalid syntax"],
    ["it interrupts itself", "raise KeyboardInterrupt", "failed", "KeyboardInterrupt"],
    ["it runs out of memory", "raise MemoryError", "memory", "MemoryError"],
    [
      "its exception cannot be shown",
      "class E(Exception):\n  def __str__(self): raise SystemExit(0)\nraise E",
      "failed",
      "E: <exception str() failed>",
    ],
  ])("does not pass when %s", (_, source, outcome, message) => {
    expect(runProgram(python, source)).toEqual({ outcome, message });
  });

  it("is not run as a script, as HumanEval's own harness does not", () => {
    expect(runProgram(python, 'if __name__ == "__main__":\n  raise ValueError')).toEqual(passed);
  });

  it("has no frame and no variable of ours within its reach", () => {
    const source = [
      "import sys",
      "assert sys._getframe(0).f_back is None",
      "assert set(globals()) == {'__builtins__', 'sys'}, set(globals())",
    ].join("\n");
    expect(runProgram(python, source)).toEqual(passed);
  });

  it("finds nothing of JavaScript by name", () => {
    for (const name of ["process", "fetch", "globalThis", "eval", "postMessage"]) {
      expect(runProgram(python, `import js\njs.${name}`)).toEqual({
        outcome: "failed",
        message: `AttributeError: ${name}`,
      });
    }
  });

  it("gets a message of at most 500 characters for its failure", () => {
    expect(runProgram(python, "raise ValueError('x' * 100000)").message).toHaveLength(500);
  });
});
