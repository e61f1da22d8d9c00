import { expect, it } from "vitest";
import { withOwnIds } from "../../../../src/benchmark/subjects/naming.ts";
import { model } from "../../../support/benchmarkRun.ts";

it.each([
  [
    ["a", "b", "a", "a"],
    ["a", "b", "a-2", "a-3"],
  ],
  [
    ["a", "a", "a-2"],
    ["a", "a-3", "a-2"],
  ],
  [
    ["a-2", "a", "a", "a-2"],
    ["a-2", "a", "a-3", "a-2-2"],
  ],
])("subjects called %j get ids of their own", (names, ids) => {
  expect(withOwnIds(names.map(model)).map(({ id }) => id)).toEqual(ids);
});
