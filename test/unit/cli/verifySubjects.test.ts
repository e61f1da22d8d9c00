import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { SubjectDefinition } from "../../../src/benchmark/subject.ts";
import { fileSha256, knownFile } from "../../../src/benchmark/subjects/fileHash.ts";
import { type Allowed, allowedSubject } from "../../../src/cli/verifySubjects.ts";
import { digest, exampleFacts, exampleSubjects } from "../../support/benchmarkRecord.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

const [model, , server, shape] = exampleSubjects as [SubjectDefinition, unknown, SubjectDefinition, SubjectDefinition];
const signal = new AbortController().signal;

function allowed(folder: string, change: Partial<Allowed> = {}): Allowed {
  const hash = (file: string) => fileSha256(file, folder, () => {}, signal);
  return { models: [], servers: [], hash, known: (sha256) => knownFile(sha256, folder), ...change };
}

function fileOf(folder: string, text: string): string {
  const file = path.join(folder, `${text}.gguf`);
  writeFileSync(file, text);
  return file;
}

describe("the subjects of a stranger's record", () => {
  it("are models that the user named or that are known by their hash, never what the record names", async () => {
    const folder = temporaryFolder();
    const file = fileOf(folder, "model");
    if (model.kind !== "model") throw new Error("the first subject is a model");
    const named = { ...model, spec: { ...model.spec, path: file } };
    await expect(allowedSubject(named, exampleFacts, allowed(folder))).rejects.toMatchObject({
      code: "model/not-found",
      message: `no file here has the hash ${digest("model")} of model.gguf; name it with --model FILE`,
    });
    await expect(allowedSubject(named, { ...exampleFacts, sha256: null }, allowed(folder))).rejects.toMatchObject({
      code: "model/not-found",
    });
    const other = fileOf(folder, "other");
    const found = { ...model, spec: { ...model.spec, path: file } };
    expect(await allowedSubject(model, exampleFacts, allowed(folder, { models: [folder, other, file] }))).toEqual(
      found,
    );
    expect(await allowedSubject(model, exampleFacts, allowed(folder))).toEqual(found);
    writeFileSync(file, "changed since");
    await expect(allowedSubject(model, exampleFacts, allowed(folder))).rejects.toMatchObject({
      code: "model/not-found",
    });
  });

  it("are servers that the user named", async () => {
    const folder = temporaryFolder();
    await expect(allowedSubject(server, exampleFacts, allowed(folder))).rejects.toMatchObject({
      message: "it is asked only when you name it: --server http://127.0.0.1:11434",
    });
    const servers = ["http://127.0.0.1:11434/"];
    expect(await allowedSubject(server, exampleFacts, allowed(folder, { servers }))).toBe(server);
  });

  it("are shapes, which are written anew", async () => {
    expect(await allowedSubject(shape, exampleFacts, allowed(temporaryFolder()))).toBe(shape);
  });
});

it("hashes nothing but regular files", async () => {
  const folder = path.join(temporaryFolder(), "folder");
  mkdirSync(folder);
  await expect(fileSha256(folder, folder, () => {}, signal)).rejects.toMatchObject({ code: "file/unreadable" });
});
