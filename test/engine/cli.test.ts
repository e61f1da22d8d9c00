import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EngineSandbox, engineSandbox, starter } from "../support/engineSandbox.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";

let sandbox: EngineSandbox;
beforeEach(() => {
  sandbox = engineSandbox({ HOTPATH_DATA_DIR: temporaryFolder() });
});
afterEach(() => sandbox.end());

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function hotpath(...args: string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, "dist", "cli.js"), ...args], { env: sandbox.env });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => {
      stdout += data;
    });
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const sample = path.join(root, "media", "sample", "rectangle.py");

describe("hotpath complete", () => {
  it("prints the text the editor would show", async () => {
    expect(await hotpath("complete", `${sample}:4:9`)).toEqual({
      code: 0,
      stdout: "self.height = height\n",
      stderr: "",
    });
  });

  it("prints one object with --json", async () => {
    const { code, stdout } = await hotpath(
      "complete",
      `${sample}:4:9`,
      "--mode",
      "exact",
      "--json",
      "--max-tokens",
      "20",
    );
    expect(code).toBe(0);
    const weightBytes = expect.closeTo(statSync(starter.path).size, -6);
    const memory = { weightBytes, kvBytes: expect.any(Number), computeBytes: expect.any(Number), hotBytes: 0 };
    expect(JSON.parse(stdout)).toEqual({
      text: "self.height = height",
      source: "engine",
      reason: null,
      model: { name: "starter-nano", path: starter.path, architecture: "arcee", quantization: "Q8_0" },
      mode: "exact",
      modeReason: "asked for",
      sparsity: {
        activeShare: expect.closeTo(0.28, 1),
        hotShare: 0,
        bytesPerToken: expect.any(Number),
        denseBytesPerToken: expect.any(Number),
      },
      devices: [{ name: "CPU", description: expect.any(String), kind: "cpu", layers: 4, memory }],
      fallback: null,
      timings: {
        ttftMs: expect.any(Number),
        totalMs: expect.any(Number),
        prefillTokensPerSecond: expect.any(Number),
        decodeTokensPerSecond: expect.any(Number),
      },
      tokens: { prompt: 39, reused: 0, generated: 6 },
    });
  });

  it("says why there is nothing", async () => {
    const file = path.join(temporaryFolder(), "done.py");
    writeFileSync(file, 'def main():\n    pass\n\n\nif __name__ == "__main__":');
    const { code, stdout, stderr } = await hotpath("complete", `${file}:5:27`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/^no completion: /);
  });

  it.each([
    ["a missing file", ["nowhere.py:1:1"], "file/unreadable"],
    ["a line that is not there", [`${sample}:99:1`], "request/invalid"],
    ["a file of secrets", [`${path.join(root, ".env")}:1:1`], "request/invalid"],
    ["a missing model", [`${sample}:4:9`, "--model", "nowhere.gguf"], "model/not-found"],
    ["a file that is no model", [`${sample}:4:9`, "--model", sample], "model/not-gguf"],
  ])("fails for %s with its code, also as JSON", async (_, args, code) => {
    const plain = await hotpath("complete", ...args);
    expect(plain).toMatchObject({ code: 1, stdout: "" });
    expect(plain.stderr).toContain(`hotpath: ${code}: `);
    const json = await hotpath("complete", ...args, "--json");
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code, message: expect.any(String) } });
  });
});

describe("hotpath", () => {
  it.each([[[]], [["--help"]], [["help"]]])("lists its commands for %j", async (args) => {
    const { code, stdout } = await hotpath(...args);
    expect(code).toBe(0);
    for (const name of ["complete", "bench", "models", "inspect", "profile", "plan", "doctor", "prepare", "synth"])
      expect(stdout).toContain(`hotpath ${name}`);
  });

  it.each(["complete", "demo", "bench", "models", "inspect", "profile", "plan", "doctor", "prepare", "synth"])(
    "explains %s",
    async (name) => {
      const { code, stdout } = await hotpath(name, "--help");
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: hotpath ${name}`));
    },
  );

  it.each([
    [["fly"]],
    [["inspect"]],
    [["models", "extra"]],
    [["doctor", "--loud"]],
    [["complete", "no-place.py"]],
    [["complete", "a.py:1:1", "--max-tokens", "many"]],
    [["profile", "a.py"]],
    [["profile", "--out", "p"]],
    [["profile", "a.py", "--show", "p"]],
    [["plan", "--vram", "lots"]],
    [["plan", "--mode", "fast"]],
    [["synth", "model.gguf"]],
    [["prepare"]],
    [["bench", "--suite", "speed"]],
    [["bench", "--server", "localhost:8080"]],
    [["bench", "--allow-reduced"]],
    [["bench", "--out", ""]],
    [["verify", ""]],
  ])("refuses %j with its usage", async (args) => {
    const { code, stdout, stderr } = await hotpath(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^hotpath: .+\n\n(Usage: hotpath .+\n(.+\n)*hotpath \w+ --help tells more\.\n$|Hotpath)/);
    expect(stderr.split("\n").length).toBeLessThan(args[0] === "fly" ? 50 : 9);
  });

  it("fails when what it prints cannot be written, and not when nobody reads it", async () => {
    const shell = (command: string) => spawnSync("bash", ["-c", command], { env: sandbox.env, encoding: "utf8" });
    const cli = `${process.execPath} ${path.join(root, "dist", "cli.js")}`;
    expect(shell(`${cli} models >/dev/full`)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^hotpath: file\/unwritable: what was printed could not be written: .*ENOSPC/),
    });
    expect(shell(`set -o pipefail; ${cli} --help | true`)).toMatchObject({ status: 0, stderr: "" });
    expect(shell(`set -o pipefail; ${cli} verify nowhere 2>&1 | true`).status).toBe(1);
  });

  it("inspects a model", async () => {
    const { stdout } = await hotpath("inspect", starter.path);
    expect(stdout).toContain("SPM2 order (metadata)");
    expect(JSON.parse((await hotpath("inspect", starter.path, "--json")).stdout)).toMatchObject({
      vocabularySize: 8192,
    });
  });

  it("profiles a model, shows it, draws it, and plans with it", async () => {
    const folder = temporaryFolder();
    const [profile, picture] = [path.join(folder, "a.profile"), path.join(folder, "a.svg")];
    const made = await hotpath("profile", sample, "--out", profile);
    expect(made).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^starter-nano: 4 layers, /) });
    const shown = await hotpath("profile", "--show", profile, "--svg", picture);
    expect(shown).toEqual(made);
    expect(readFileSync(picture, "utf8")).toMatch(/^<svg /);
    const { stdout } = await hotpath("plan", "--profile", profile, "--vram", "8GB", "--gpu-bandwidth", "500");
    expect(stdout).toContain("llama.cpp alone, 8.00 GB of GPU memory (taken to have 500 GB/s)");
    expect(stdout).toContain("the whole model fits on the GPU");
    expect((await hotpath("plan", "--vram", "0", "--ram", "1MB")).code).toBe(1);
    expect(await hotpath("profile", ".env", "--out", profile)).toMatchObject({ code: 1, stdout: "" });
  });

  it("lists models, those used recently included", async () => {
    await hotpath("complete", `${sample}:4:9`, "--model", starter.path);
    const { starter: shipped, recent } = JSON.parse((await hotpath("models", "--json")).stdout);
    expect(shipped).toMatchObject({ path: starter.path, bytes: expect.any(Number) });
    expect(recent[0]).toMatchObject({ path: starter.path });
  });

  it("writes a synthetic model, which completes", async () => {
    const file = path.join(temporaryFolder(), "tiny.gguf");
    const written = await hotpath("synth", file, "--preset", "tiny", "--arch", "arcee", "--type", "q4_0", "--json");
    expect(JSON.parse(written.stdout)).toEqual({
      path: file,
      bytes: statSync(file).size,
      seconds: expect.any(Number),
    });
    expect((await hotpath("complete", `${sample}:4:9`, "--model", file)).code).toBe(0);
  });

  it("refuses sizes that do not fit together, and leaves no file", async () => {
    const file = path.join(temporaryFolder(), "odd.gguf");
    const { code, stderr } = await hotpath("synth", file, "--preset", "tiny", "--kv-heads", "3");
    expect(code).toBe(1);
    expect(stderr).toContain("request/invalid: 4 heads of 64, 3 of them for keys, do not fit together");
    expect(existsSync(file)).toBe(false);
  });

  it("prepares a model, checks it, and computes the same with it", async () => {
    const model = path.join(temporaryFolder(), "model.gguf");
    copyFileSync(starter.path, model);
    const complete = ["complete", `${sample}:4:9`, "--model", model, "--mode", "exact"];
    const before = await hotpath(...complete);
    const prepared = await hotpath("prepare", "--model", model, "--mode", "exact", "--json");
    const divergence = { mean: expect.any(Number), max: expect.any(Number), topAgreement: expect.any(Number) };
    expect(JSON.parse(prepared.stdout)).toEqual({
      path: `${model}.hotpath`,
      bytes: statSync(`${model}.hotpath`).size,
      keptBytes: 0,
      // The feed-forward ones, and others where this machine measures that our kernels are faster.
      tensors: expect.toSatisfy((tensors: number) => tensors >= 8),
      divergence: { ...divergence, tokens: 256 },
      seconds: expect.any(Number),
    });
    expect(existsSync(`${model}.hotpath.part`)).toBe(false);
    const checked = await hotpath("prepare", "--model", model, "--check");
    expect(checked.stdout).toContain("all as they were written");
    await sandbox.client().restart();
    expect(await sandbox.client().load({ ...starter, path: model, mode: "exact" })).toMatchObject({
      sidecar: `${model}.hotpath`,
    });
    expect(await hotpath(...complete)).toEqual(before);
  });

  it("goes on with a preparation whose engine was killed", async () => {
    const model = path.join(temporaryFolder(), "model.gguf");
    const params = { model, sidecar: `${model}.hotpath`, onlyCheck: false, mode: "exact" } as const;
    copyFileSync(starter.path, model);
    const client = sandbox.client();
    const { pid } = await client.diagnostics();
    const killAtFirstProgress = () => process.kill(pid, "SIGKILL");
    await expect(client.prepare(params, killAtFirstProgress)).rejects.toMatchObject({ code: "engine/exited" });
    expect(existsSync(params.sidecar)).toBe(false);
    const { keptBytes, bytes } = await client.prepare(params, () => undefined);
    expect(keptBytes).toBeGreaterThan(0);
    expect(statSync(params.sidecar).size).toBe(bytes);
  });

  it("says that there is nothing to check", async () => {
    const { code, stderr } = await hotpath("prepare", "--model", starter.path, "--out", "nowhere", "--check");
    expect(code).toBe(1);
    expect(stderr).toContain("hotpath: file/unreadable: ");
  });

  it("examines the machine", async () => {
    const { code, stdout } = await hotpath("doctor", "--json");
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report.problems).toEqual([]);
    expect(report.engine.libraries.llamaVersion).toMatch(/^v\d+\.\d+\.\d+$/);
    expect(report.engine.devices[0]).toMatchObject({ kind: "cpu", memoryBytes: expect.any(Number) });
    const { stdout: text } = await hotpath("doctor");
    expect(text).toContain("Everything that is needed works.");
    const cuda = report.engine.cudaKernels;
    expect(text).toContain(
      `Hotpath's CUDA kernels: ${cuda ? (cuda.ok ? cuda.text : `not used, ${cuda.text}`) : "none were built"}`,
    );
  });
});
