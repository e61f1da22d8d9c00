import { describe, expect, it } from "vitest";
import { ProgressLine } from "../../../src/cli/progressLine.ts";

function written(columns: number, act: (line: ProgressLine) => void, isTTY = true): string[] {
  const texts: string[] = [];
  const out = { columns, isTTY, write: (text: string) => texts.push(text) } as unknown as NodeJS.WriteStream;
  act(new ProgressLine(out));
  return texts.map((text) => text.replace("\r\u001b[K", ""));
}

describe("ProgressLine", () => {
  it("stays on one line, and keeps how far the job is", () => {
    const path = `${"/folder".repeat(20)}/file`;
    const texts = written(40, (line) => {
      line.show(0, 8, path);
      line.show(2, 8, path);
      line.say(`12 of 80: ${path}`);
    });
    expect(texts[0]).toMatch(/^\/folder.*….*\/file, 0 %$/);
    expect(texts[1]).toMatch(/^\/folder.*….*file, 25 %, 1 s left$/);
    expect(texts[2]).toMatch(/^12 of 80: \/folder.*….*\/file$/);
    for (const text of texts) expect(text).toHaveLength(39);
  });

  it("takes a terminal that does not tell its width for one of 80 columns", () => {
    expect(written(0, (line) => line.say("a".repeat(200)))[0]).toHaveLength(79);
  });

  it("sends no commands to the terminal, and nothing where there is none", () => {
    expect(written(80, (line) => line.say("a\u001b[31mb"))).toEqual(["a [31mb"]);
    expect(written(80, (line) => line.show(1, 2, "a"), false)).toEqual([]);
  });
});
