import { expect, it } from "vitest";
import { Overlaps } from "../../../src/engineHost/overlaps.ts";

it("counts every other generation that ran meanwhile, before and after the own start, once", () => {
  const overlaps = new Overlaps();
  const long = overlaps.begin();
  const early = overlaps.begin();
  expect(early.end()).toBe(1);
  const late = overlaps.begin();
  expect(long.end()).toBe(2);
  expect(overlaps.begin().end()).toBe(1);
  expect(late.end()).toBe(2);
  expect([late.end(), overlaps.begin().end()]).toEqual([2, 0]);
});
