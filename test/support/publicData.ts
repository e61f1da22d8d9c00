// Copies of the public data sets, which are never part of this repository: in the folder HOTPATH_TEST_DATA or in
// shared/data beside the checkout. A test that finds none is skipped and says so.
import { existsSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "vitest";
import type { DatasetDefinition } from "../../src/benchmark/datasets/catalogue.ts";
import { DatasetStore } from "../../src/benchmark/datasets/datasetStore.ts";
import { root } from "./sources.ts";

const folder = process.env.HOTPATH_TEST_DATA ?? path.join(root, "..", "shared", "data");

/** Where a copy is not named as it is published. */
const copies: Readonly<Record<string, string>> = {
  gsm8k: "gsm8k-test.jsonl",
  "gsm8k-train": "gsm8k-train-first200.jsonl",
};

export function publicData(context: TestContext, wanted: readonly DatasetDefinition[]): DatasetStore {
  const files = wanted.map(({ name, repository, path: published }) => {
    const file = path.join(folder, copies[name] ?? path.posix.basename(published));
    const source = `${published} of github.com/${repository}`;
    context.skip(!existsSync(file), `there is no ${file}; it is ${source}, and HOTPATH_TEST_DATA names its folder`);
    return [name, file];
  });
  return new DatasetStore({ folder: path.join(folder, "none"), files: Object.fromEntries(files) });
}

/** HOTPATH_TEST_FULL=1 takes every row of every set instead of a sample: over ten minutes. */
export const takesAllRows = process.env.HOTPATH_TEST_FULL === "1";
