import { describe, expect, it } from "vitest";
import { Field } from "../../../../src/benchmark/run/field.ts";
import type { Journal } from "../../../../src/benchmark/run/journal.ts";
import type { Teller } from "../../../../src/benchmark/run/teller.ts";
import type { OnOpening, Subject } from "../../../../src/benchmark/subject.ts";
import { model } from "../../../support/benchmarkRun.ts";

describe("a field of subjects", () => {
  it("tells how far one is that opens, and of what takes long the time left", async () => {
    const told: string[] = [];
    const teller = { tell: (_: string, what: string) => told.push(what) } as unknown as Teller;
    const journal = { factsBefore: () => undefined, append: async () => {} } as unknown as Journal;
    const open = async (onProgress: OnOpening) => {
      onProgress("reading the file once for its hash", 0.999);
      onProgress("loading", 0.01, null);
      onProgress("loading", 0.4, 12_000);
    };
    const subject = { definition: model("A"), open } as unknown as Subject;
    const signal = new AbortController().signal;
    await new Field([subject.definition], () => subject, { journal, teller, signal }).open();
    expect(told.map((what) => what.slice(what.indexOf(":") + 2))).toEqual([
      expect.any(String),
      "reading the file once for its hash, 99 %",
      "loading, 1 %",
      "loading, 40 %, about 12 s left",
    ]);
  });
});
