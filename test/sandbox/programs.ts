// Programs and what each must end with, wherever it runs: a score would not mean the same if places differed.
import type { VerdictOutcome } from "../../src/sandbox/sandbox.ts";

const flood = `
import sys
while True:
    try:
        while True: sys.stdout.write("x" * 10**6)
    except BaseException: pass`;
/** Well within its time, and more of the processor's than HumanEval's harness gives on the wall. */
const slow = `
import time
end = time.monotonic() + 4
while time.monotonic() < end: pass`;

/** Source, outcome, and the message where it is ours or an assertion's. */
export const programs: readonly (readonly [string, VerdictOutcome, string | null | undefined])[] = [
  ["assert True", "passed", null],
  ["assert 1 == 2, 'not equal'", "failed", "AssertionError: not equal"],
  ["def f(:", "syntax-error", "SyntaxError: invalid syntax"],
  ["import sys\nsys.exit(0)", "failed", undefined],
  ["import os\nos._exit(0)", "failed", undefined],
  ["a = []\nwhile True: a.append(bytearray(10**7))", "memory", undefined],
  [slow, "passed", null],
  [flood, "timeout", "more than 10 s"],
  ["import js\njs.fetch('data:,')", "failed", "AttributeError: fetch"],
  ["import builtins\nbuiltins.left = 1", "passed", null],
  ["left", "failed", "NameError: name 'left' is not defined"],
];
