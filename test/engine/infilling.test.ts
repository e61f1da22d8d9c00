// The infilling suites depend on where exactly a completion begins and ends: a blank or a newline more or less and a right
// answer fails.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completeLine } from "../../src/benchmark/suites/infilling/infilling.ts";
import { type EngineSandbox, engineSandbox, request } from "../support/engineSandbox.ts";

let sandbox: EngineSandbox;
beforeEach(() => {
  sandbox = engineSandbox();
});
afterEach(() => sandbox.end());

const rows = [
  {
    prefix: "class Rectangle:\n    def __init__(self, width, height):\n        self.width = width\n",
    suffix: "\n    def area(self):\n        return self.width * self.height\n",
  },
  { prefix: "def area(w, h):\n    a = w * h\n", suffix: "    return a\n" },
];

describe("infilling at the start of a line", () => {
  it.each(rows)("says lines where a newline was next: %j", async (row) => {
    const engine = sandbox.client();
    const line = await engine.generate(request({ ...row, maxLines: 1 }), () => {});
    const whole = await engine.generate(request({ ...row, maxLines: 0 }), () => {});
    expect(line.stopReason).toBe("lines");
    expect(whole.text.startsWith(`${line.text}\n`)).toBe(true);
    expect(completeLine(line)).toBe(completeLine(whole));
  });

  it.each(rows)("gives all that follows the prefix, wherever in the blanks it ends: %j", async ({ prefix, suffix }) => {
    const engine = sandbox.client();
    const { text } = await engine.generate(request({ prefix, suffix }), () => {});
    const blanks = text.search(/\S/);
    expect(blanks).toBeGreaterThanOrEqual(4);
    for (let typed = 1; typed <= blanks; typed++) {
      const rest = await engine.generate(request({ prefix: prefix + text.slice(0, typed), suffix }), () => {});
      expect(text.slice(0, typed) + rest.text).toBe(text);
    }
  });
});
