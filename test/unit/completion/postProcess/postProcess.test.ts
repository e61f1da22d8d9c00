import { describe, expect, it } from "vitest";
import { accepted, applyAll, type Situation } from "../../../support/postProcessing.ts";

const python: Situation = { languageId: "python", indentation: { insertSpaces: true, tabSize: 4 } };
const c: Situation = { languageId: "c", indentation: { insertSpaces: false, tabSize: 4 } };

describe("postProcess", () => {
  it.each<[string, string, string, string, Situation]>([
    ["a call with its bracket closed", "foo(█)", "a)", "foo(a)", {}],
    ["a call that goes on", "foo(█)\nbar();", "a).then(b);", "foo(a).then(b);\nbar();", {}],
    ["a block in braces", "if (x) {█\n}\n", "\n    y();\n}\n", "if (x) {\n  y();\n}\n", {}],
    ["a callback with its brackets closed", "on(() => {█})", "\n  a();\n});", "on(() => {\n  a();\n});", {}],
    ["a value in a string", 's = "a #{█}"', "name}", 's = "a #{name}"', { languageId: "ruby" }],
    ["JSX", "return <b>█</b>;", "{name}</b>", "return <b>{name}</b>;", { languageId: "typescriptreact" }],
    ["emoji", 's = "█"', '😀" ', 's = "😀"', {}],
    ["a line end of another system", "f() {█", "\r\n  a();\r\n}", "f() {\n  a();\n}", {}],
    [
      "a Python body and no further function",
      "def f(x):\n    █\n\ndef g():\n    pass\n",
      "    if x:\n        return 1\n    return 2\n\ndef g():\n    pass",
      "def f(x):\n    if x:\n        return 1\n    return 2\n\ndef g():\n    pass\n",
      python,
    ],
    [
      "a Python body in the step of the file",
      "def f(x):\n  return 1\n\ndef g(x):█\n",
      "\n    if x:\n        return 2\n",
      "def f(x):\n  return 1\n\ndef g(x):\n  if x:\n    return 2\n",
      python,
    ],
    [
      "a C function in tabs",
      "int f(int x)\n{\n\t█\n}\n",
      "if (x) {\n\t\treturn 1;\n\t}\n\treturn 0;\n}\n",
      "int f(int x)\n{\n\tif (x) {\n\t\treturn 1;\n\t}\n\treturn 0;\n}\n",
      c,
    ],
    [
      "a C body from a model that writes spaces",
      "\tif (x) {█\n",
      "\n        y();\n    }\n    z();",
      "\tif (x) {\n\t\ty();\n\t}\n",
      c,
    ],
    ["a Makefile recipe", "all:█\n", "\n\tcc a.c\n", "all:\n\tcc a.c\n", { ...c, languageId: "makefile" }],
  ])("completes %s", (_, code, text, expected, situation) => {
    expect(accepted(code, applyAll(code, text, situation))).toBe(expected);
  });

  it("names the steps that changed the text, in order", () => {
    const code = "  if (x) {\n    █\n  }\n";
    expect(applyAll(code, "    foo();\n    foo();\n    foo();\n    bar(", { stopReason: "tokens" })).toEqual({
      text: "foo();",
      replaceAfter: 0,
      dropped: null,
      changedBy: ["unfinishedLine", "indentation", "loops"],
    });
  });

  it("changes nothing in a text that fits", () => {
    expect(applyAll("x = █;\n", "foo(1)")).toEqual({ text: "foo(1)", replaceAfter: 0, dropped: null, changedBy: [] });
  });

  it.each([
    ["blank", "x = 1█\n", "  \n\n"],
    ["blank", "x = 1█\n", ""],
    ["blank", "foo(█)\n", ")"],
    ["repeats-above", "foo(1);\n█\n", "foo(1);\n"],
    ["repeats-below", "█\nfoo(1);\n", "foo(1);"],
  ])("drops a text as %s at %j", (dropped, code, text) => {
    expect(applyAll(code, text)).toMatchObject({ text: "", replaceAfter: 0, dropped });
  });

  it("gives the same again for what it gave", () => {
    const code = "def f(x):\n    █\n";
    const once = applyAll(code, "    if x:\n        return (1\n    return 2)))", python);
    expect(applyAll(code, once.text, python)).toEqual({ ...once, changedBy: [] });
  });

  it("replaces only characters that the text has itself", () => {
    const rests = ["", ")", '")', "]);", "`", " }", "});"];
    const texts = ["a", "a)", 'a");', "a]) + b", "x => { y() })", "`)`", "(", ")(", "\n  a,\n)"];
    for (const rest of rests) {
      for (const text of texts) {
        const { text: shown, replaceAfter } = applyAll(`f([{"█${rest}\nend`, text);
        let from = 0;
        for (const character of rest.slice(0, replaceAfter)) {
          const found = shown.indexOf(character, from);
          expect(found, `${rest} ${text}`).toBeGreaterThanOrEqual(from);
          from = found + 1;
        }
      }
    }
  });
});
