import { describe, expect, it } from "vitest";
import { dropUnfinishedLine } from "../../../../src/completion/postProcess/unfinishedLine.ts";
import { applyStep } from "../../../support/postProcessing.ts";

const code = "def f():█\n";

describe("dropUnfinishedLine", () => {
  it.each(["tokens", "time"] as const)("drops the last line of several when stopped by %s", (stopReason) => {
    expect(applyStep(dropUnfinishedLine, code, "\n    a = 1\n    b = (", { stopReason })).toEqual({
      text: "\n    a = 1",
      replaceAfter: 0,
    });
  });

  it.each(["end", "lines", "stop"] as const)("keeps it when the model ended by %s", (stopReason) => {
    expect(applyStep(dropUnfinishedLine, code, "\n    a = 1\n    b = 2", { stopReason })).toEqual({
      text: "\n    a = 1\n    b = 2",
      replaceAfter: 0,
    });
  });

  it.each(["x + ", "\n    retu"])("keeps the only line that says something: %j", (text) => {
    expect(applyStep(dropUnfinishedLine, code, text, { stopReason: "tokens" })).toEqual({ text, replaceAfter: 0 });
  });
});
