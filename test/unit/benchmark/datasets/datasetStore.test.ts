import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type DatasetDefinition, gsm8kTest, humanEval } from "../../../../src/benchmark/datasets/catalogue.ts";
import { DatasetStore } from "../../../../src/benchmark/datasets/datasetStore.ts";
import { readProblems } from "../../../../src/benchmark/datasets/rows.ts";
import { temporaryFolder } from "../../../support/temporaryFolder.ts";
import { doubling } from "../suites/rows.ts";
import { serve, silence } from "./server.ts";

const text = Buffer.from(`${JSON.stringify(doubling)}\n`);
const packed = gzipSync(text);
const never = new AbortController().signal;
const ignore = () => {};

/** A data set of ours as if it were published. */
const own: DatasetDefinition = {
  name: "own",
  title: "Own set",
  repository: "owner/sets",
  revision: "abc",
  path: "data/own.jsonl.gz",
  licence: "MIT",
  bytes: packed.length,
  sha256: sha256(text),
  packedSha256: sha256(packed),
  rows: 1,
  read: readProblems,
};

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function storeWithFile(content: Buffer | string) {
  const folder = temporaryFolder();
  const file = path.join(folder, "given");
  writeFileSync(file, content);
  return { store: new DatasetStore({ folder, files: { own: file } }), file };
}

describe("A data set from a file of the user's", () => {
  it.each([
    ["packed", packed],
    ["plain", text],
  ])("is read %s, and is the published one by its text", async (_, content) => {
    const { store } = storeWithFile(content);
    expect(await store.has(own)).toBe(true);
    expect(await store.load(own)).toMatchObject({
      info: { name: "own", sha256: own.sha256, rows: 1, source: "local file" },
      isPublished: true,
    });
  });

  it("may hold other rows, which is said", async () => {
    const { store } = storeWithFile(`${text}${JSON.stringify({ ...doubling, task_id: "Own/1" })}\n`);
    expect(await store.load(own)).toMatchObject({ info: { rows: 2 }, isPublished: false });
  });

  it.each([
    ["cut off", packed.subarray(0, packed.length - 9), "dataset/invalid", /given cannot be unpacked: unexpected end/],
    ["damaged", Buffer.concat([packed.subarray(0, 30), text]), "dataset/invalid", /given cannot be unpacked: /],
    ["hiding 65 MiB", gzipSync(Buffer.alloc(65 << 20)), "dataset/invalid", /given cannot be unpacked: Cannot create/],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "dataset/invalid", /given is not UTF-8 text/],
    ["empty", "", "dataset/invalid", /given is empty/],
    ["of other rows", '{"a":1}\n', "dataset/invalid", /given, line 1: field "task_id" is missing/],
  ])("is refused when it is %s", async (_, content, code, message) => {
    const { store } = storeWithFile(content);
    await expect(store.load(own)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("is refused when there is none, or a folder", async () => {
    const folder = temporaryFolder();
    const store = new DatasetStore({ folder, files: { own: path.join(folder, "absent"), humaneval: folder } });
    expect(await store.has(own)).toBe(false);
    await expect(store.load(own)).rejects.toMatchObject({
      code: "dataset/unavailable",
      message: `there is no file ${path.join(folder, "absent")}`,
    });
    await expect(store.load(humanEval)).rejects.toMatchObject({ code: "file/unreadable" });
  });
});

describe("A data set that was fetched", () => {
  async function fetched(server: Parameters<typeof serve>[0], dataset = own, stallMs = 5_000) {
    const folder = path.join(temporaryFolder(), "datasets");
    const { origin, asked } = await serve(server);
    const store = new DatasetStore({ folder, origin, stallMs });
    const fetch = (onProgress: (bytes: number, total: number) => void = ignore, signal = never) =>
      store.fetch(dataset, onProgress, signal);
    return { store, folder, asked, fetch };
  }

  it("is kept and found again", async () => {
    const { store, folder, asked, fetch } = await fetched((_, response) => response.end(packed));
    expect(await store.has(own)).toBe(false);
    const progress: number[][] = [];
    await fetch((...step) => progress.push(step));
    expect(asked).toEqual(["/owner/sets/abc/data/own.jsonl.gz"]);
    expect(progress.at(-1)).toEqual([packed.length, packed.length]);
    expect(readdirSync(folder)).toEqual([`own-${own.sha256.slice(0, 12)}.jsonl.gz`]);
    expect(await store.has(own)).toBe(true);
    expect(await store.load(own)).toMatchObject({ info: { source: "fetched", rows: 1 }, isPublished: true });
  });

  it("is missed with what to do about it", async () => {
    const { store } = await fetched((_, response) => response.end());
    await expect(store.load(gsm8kTest)).rejects.toMatchObject({
      code: "dataset/unavailable",
      message:
        "GSM8K, test rows is not on this machine; let it be fetched (--fetch) from github.com/openai/grade-school-math, " +
        "or give a copy of its grade_school_math/data/test.jsonl with --dataset gsm8k=FILE",
    });
  });

  it("is refused when its file was changed later", async () => {
    const { store, folder } = await fetched((_, response) => response.end());
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `own-${own.sha256.slice(0, 12)}.jsonl.gz`), text.subarray(1));
    const isRefused = (message: RegExp) =>
      expect(store.load(own)).rejects.toMatchObject({
        code: "dataset/invalid",
        message: expect.stringMatching(message),
      });
    await isRefused(/was changed: SHA-256 \w+; fetch it again \(--fetch\)$/);
    writeFileSync(path.join(folder, `own-${own.sha256.slice(0, 12)}.jsonl.gz`), packed.subarray(0, 30));
    expect(await store.has(own)).toBe(false);
    await isRefused(/cannot be unpacked: unexpected end of file; fetch it again \(--fetch\)$/);
  });

  it.each<[string, Parameters<typeof serve>[0], string, RegExp]>([
    [
      "does not have it",
      (_, response) => response.writeHead(404).end("no"),
      "dataset/unavailable",
      /answered 404 Not Found; a copy of the file does as well: --dataset own=FILE$/,
    ],
    [
      "sends another file of the same size",
      (_, response) => response.end(Buffer.alloc(packed.length)),
      "dataset/invalid",
      /sent another file: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}$/,
    ],
    [
      "sends more",
      (_, response) => response.end(Buffer.concat([packed, text])),
      "dataset/invalid",
      /sent more than its \d+ bytes$/,
    ],
    ["sends less", (_, response) => response.end(packed.subarray(0, 10)), "dataset/invalid", /sent 10 of \d+ bytes$/],
    [
      "breaks off",
      (_, response) => {
        response.writeHead(200, { "content-length": packed.length });
        response.write(packed.subarray(0, 10), () => response.destroy());
      },
      "dataset/unavailable",
      /cannot be fetched: /,
    ],
  ])("is not kept when the server %s", async (_, server, code, message) => {
    const { folder, fetch } = await fetched(server);
    await expect(fetch()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(filesIn(folder)).toEqual([]);
  });

  it.each<[string, Parameters<typeof serve>[0], RegExp]>([
    ["nothing", silence, /sent nothing for 0\.5 s after 0 of \d+ bytes; a copy/],
    [
      "half",
      (_, response) => response.write(packed.subarray(0, 10)),
      /sent nothing for 0\.5 s after 10 of \d+ bytes; a copy/,
    ],
  ])("is given up when the server sends %s and then stalls", async (_, server, message) => {
    const { folder, fetch } = await fetched(server, own, 500);
    await expect(fetch()).rejects.toMatchObject({
      code: "dataset/unavailable",
      message: expect.stringMatching(message),
    });
    expect(filesIn(folder)).toEqual([]);
  });

  it("cannot be had where no server is", async () => {
    const { origin, close } = await serve(silence);
    await close();
    const store = new DatasetStore({ folder: temporaryFolder(), origin });
    await expect(store.fetch(own, ignore, never)).rejects.toMatchObject({
      code: "dataset/unavailable",
      message:
        `${origin}/owner/sets/abc/data/own.jsonl.gz cannot be fetched: ECONNREFUSED; ` +
        "a copy of the file does as well: --dataset own=FILE",
    });
  });

  it("leaves nothing behind when the user cancels", async () => {
    const cancel = new AbortController();
    const { folder, fetch } = await fetched((_, response) => response.write(packed.subarray(0, 10)));
    const fetching = fetch(() => cancel.abort(), cancel.signal);
    await expect(fetching).rejects.toMatchObject({ code: "request/cancelled" });
    await expect(fetch(ignore, cancel.signal)).rejects.toMatchObject({ code: "request/cancelled" });
    expect(filesIn(folder)).toEqual([]);
  });

  it("keeps the earlier file when fetching again fails", async () => {
    let answers = 0;
    const { store, fetch } = await fetched((_, response) =>
      answers++ === 0 ? response.end(packed) : response.writeHead(500).end(),
    );
    await fetch();
    await expect(fetch()).rejects.toMatchObject({ code: "dataset/unavailable" });
    expect(await store.load(own)).toMatchObject({ isPublished: true });
  });

  it("says when it cannot be written", async () => {
    const blocked = path.join(temporaryFolder(), "file");
    writeFileSync(blocked, "");
    const { origin } = await serve((_, response) => response.end(packed));
    const store = new DatasetStore({ folder: path.join(blocked, "datasets"), origin });
    await expect(store.fetch(own, ignore, never)).rejects.toMatchObject({ code: "file/unwritable" });
  });

  function filesIn(folder: string): string[] {
    return readdirSync(path.dirname(folder), { recursive: true })
      .map(String)
      .filter((name) => name.includes("own"));
  }
});
