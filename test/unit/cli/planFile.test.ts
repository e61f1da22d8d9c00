import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bundleTexts } from "../../../src/benchmark/report/bundle.ts";
import { UsageError } from "../../../src/cli/command.ts";
import { readPlanFile } from "../../../src/cli/planFile.ts";
import { examplePlan, exampleRecord } from "../../support/benchmarkRecord.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

function files() {
  const folder = temporaryFolder();
  const [plan, model] = [path.join(folder, "plan.json"), path.join(folder, "coder-7b.gguf")];
  writeFileSync(plan, bundleTexts(exampleRecord())["plan.json"] ?? "");
  writeFileSync(model, "");
  return { folder, plan, model };
}

describe("hotpath bench --plan", () => {
  it("does all of the plan of a bundle again, with models where they lie here", async () => {
    const { folder, plan, model } = files();
    const asked = await readPlanFile(plan, { plan, model: [model], "allow-code": true }, folder);
    const subjects = examplePlan.subjects.map((subject) =>
      subject.kind === "model" ? { ...subject, spec: { ...subject.spec, path: model } } : subject,
    );
    expect(asked.plan).toEqual({ ...examplePlan, subjects });
    expect(asked.notes).toEqual(["the plan asks the server at http://127.0.0.1:11434."]);
  });

  it("says which model is not here", async () => {
    const { folder, plan } = files();
    await expect(readPlanFile(plan, { plan }, folder)).rejects.toMatchObject({
      code: "model/not-found",
      message: "coder-7b.gguf is not here; say where it lies with --model FILE",
    });
  });

  it("takes no other word on what to measure", async () => {
    const { folder, plan } = files();
    await expect(readPlanFile(plan, { plan, suite: ["latency"] }, folder)).rejects.toBeInstanceOf(UsageError);
  });

  it.each([
    ["nowhere", 'the plan asks a server at "nowhere", which is no address of one'],
    ["file:///etc/passwd", 'the plan asks a server at "file:///etc/passwd", which is no address of one'],
    [
      "http://me:key@host",
      "the address of a server in the plan holds a name or a password, which would stand in the record",
    ],
  ])("refuses a plan that asks a server at %s", async (url, message) => {
    const { folder, plan } = files();
    const server = { kind: "server", id: "s", label: "S", api: "openai", url, model: null };
    writeFileSync(plan, JSON.stringify({ ...examplePlan, subjects: [server] }));
    await expect(readPlanFile(plan, { plan }, folder)).rejects.toMatchObject({ code: "request/invalid", message });
  });

  it("refuses a plan whose record could not tell by whom", async () => {
    const { folder, plan, model } = files();
    const [first] = examplePlan.subjects;
    writeFileSync(plan, JSON.stringify({ ...examplePlan, subjects: [first, first] }));
    await expect(readPlanFile(plan, { plan, model: [model] }, folder)).rejects.toMatchObject({
      code: "request/invalid",
      message: 'the plan has "coder-dense" twice',
    });
  });

  it.each([
    ["{", /plan.json: .*JSON/],
    ['{"subjects": []}', /is no plan of a run: suites is missing/],
  ])("refuses %s", async (text, message) => {
    const { folder, plan } = files();
    writeFileSync(plan, text);
    await expect(readPlanFile(plan, { plan }, folder)).rejects.toMatchObject({
      code: "request/invalid",
      message: expect.stringMatching(message),
    });
  });
});
