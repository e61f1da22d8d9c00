import { describe, expect, it } from "vitest";
import { parseLocation, splitAt } from "../../../src/cli/location.ts";

const at = (line: number, column: number) => ({ file: "a.py", line, column });

describe("parseLocation", () => {
  it("reads FILE:LINE:COLUMN, colons in the file name included", () => {
    expect(parseLocation("C:\\a b.py:3:14")).toEqual({ file: "C:\\a b.py", line: 3, column: 14 });
  });

  it.each(["", "a.py", "a.py:3", "a.py:3:", "a.py:x:1", ":1:1"])("refuses %j", (text) => {
    expect(() => parseLocation(text)).toThrow("is not FILE:LINE:COLUMN");
  });

  it("refuses line 0", () => {
    expect(() => parseLocation("a.py:0:1")).toThrow("count from 1");
  });
});

describe("splitAt", () => {
  it("splits at the cursor", () => {
    expect(splitAt("ab\ncd\n", at(2, 2))).toEqual({ prefix: "ab\nc", suffix: "d\n" });
  });

  it("counts characters, not UTF-16 units", () => {
    expect(splitAt("x😀y", at(1, 3))).toEqual({ prefix: "x😀", suffix: "y" });
  });

  it("puts the cursor before a CRLF line end", () => {
    expect(splitAt("ab\r\ncd", at(1, 3))).toEqual({ prefix: "ab", suffix: "\r\ncd" });
  });

  it("reaches the empty line after the last line feed", () => {
    expect(splitAt("ab\n", at(2, 1))).toEqual({ prefix: "ab\n", suffix: "" });
  });

  it("refuses a line or column that is not there, saying what is", () => {
    expect(() => splitAt("ab\n", at(4, 1))).toThrow("a.py has 2 lines, not 4");
    expect(() => splitAt("ab\n", at(1, 9))).toThrow("line 1 of a.py has columns 1 to 3, not 9");
  });
});
