import { describe, expect, it } from "vitest";
import { chooseMaxLines } from "../../../src/completion/lineMode.ts";
import { at } from "../../support/cursor.ts";

const maxLines = (code: string, wanted = 0, model: number | null = null) =>
  chooseMaxLines(at(code), { wanted, model }, 4);

describe("chooseMaxLines", () => {
  it.each([
    "█",
    "def f():█",
    "def f():\n    █",
    "class A:\n    █\n\nclass B:\n    pass\n",
    "function f() {█\n}",
    "function f() {\n  █\n}",
    "int main(void)\n{\n\t█\n}\n",
    "const f = () =>█",
    "while read x; do█",
    "if x then█",
    "const a = [█\n];",
    "call(█\n)",
    "f();\n█\ng();",
  ])("goes on for several lines when a block is empty: %j", (code) => {
    expect(maxLines(code)).toBe(16);
  });

  it.each([
    "const a = █",
    "foo(█)",
    "x = {█}",
    "return█\n",
    "std::█",
    "p->█",
    "def f():█\n    return 1\n",
    "function f() {█\n  g();\n}",
    "function f() {\n█\n  g();\n}",
    "if (x) {\n\t█\n\t\ty();\n}",
  ])("stays on one line otherwise: %j", (code) => {
    expect(maxLines(code)).toBe(1);
  });

  it("keeps to the model's limit", () => {
    expect(maxLines("def f():█", 0, 1)).toBe(1);
    expect(maxLines("def f():█", 8, 3)).toBe(3);
  });

  it("keeps to what the person wants", () => {
    expect(maxLines("def f():█", 1)).toBe(1);
    expect(maxLines("def f():█", 30)).toBe(30);
  });

  it("takes a limit of the model that leaves no line for one line", () => {
    expect(maxLines("def f():█", 0, 0)).toBe(1);
  });
});
