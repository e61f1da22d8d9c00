import { execFileSync, spawn } from "node:child_process";
import {
  chownSync,
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import { AppError } from "../../src/common/errors.ts";
import { diagnosticsRequest, helloRequest, protocolVersion } from "../../src/protocol/engine.ts";
import { specKey } from "../../src/protocol/model.ts";
import {
  builtVersion,
  type EngineSandbox,
  engineSandbox,
  engineScript,
  kill,
  longRequest,
  nextState,
  processState,
  request,
  starter,
  until,
} from "../support/engineSandbox.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";

let sandbox: EngineSandbox;
beforeEach(() => {
  sandbox = engineSandbox();
});
afterEach(() => sandbox.end());

/** Resolves with the error of a request that was streaming when `act` was called, and how long that took. */
async function errorAfter(act: (pid: number) => void): Promise<{ error: AppError; ms: number }> {
  const engine = sandbox.client();
  let actedAt = 0;
  const running = engine.generate(longRequest(), () => {
    if (actedAt > 0) return;
    actedAt = performance.now();
    act(sandbox.engineFile().pid);
  });
  const error = await running.then(
    () => new AppError("internal/bug", "the request was answered"),
    (thrown) => thrown as AppError,
  );
  return { error, ms: performance.now() - actedAt };
}

describe("a lost engine", () => {
  it.each(["SIGKILL", "SIGSEGV", "SIGABRT"] as const)(
    "is reported with %s and its last log lines within a second",
    async (signal) => {
      const { error, ms } = await errorAfter((pid) => process.kill(pid, signal));
      expect(error).toMatchObject({ code: "engine/exited", details: { signal, exitCode: null } });
      expect(error.details.logTail).toContain("llama.cpp");
      expect(ms).toBeLessThan(1_000);
    },
  );

  it("is started again for the next request, with its model", async () => {
    const engine = sandbox.client();
    const before = await engine.generate(request(), () => {});
    const { pid } = sandbox.engineFile();
    kill(pid, "SIGKILL");
    await nextState(engine, (state) => state.kind === "failed");
    const after = await engine.generate(request(), () => {});
    expect(after.text).toBe(before.text);
    expect(sandbox.engineFile().pid).not.toBe(pid);
    expect(processState(pid)).toBe("absent");
  });

  it("is explained to a client that did not start it, also when its starter is gone", async () => {
    const starterClient = spawn(process.execPath, [path.join(root, "dist", "cli.js"), "doctor", "--json"], {
      env: { ...sandbox.env, HOTPATH_LINGER_MS: "20000" },
      stdio: "ignore",
    });
    await new Promise((resolve) => starterClient.once("exit", resolve));
    const engine = sandbox.client();
    const { pid } = await engine.diagnostics();
    const failed = nextState(engine, (state) => state.kind === "failed");
    kill(pid, "SIGKILL");
    expect(await failed).toMatchObject({ error: { code: "engine/exited", details: { signal: "SIGKILL" } } });
  });

  it("is not started a fifth time within ten minutes until the user asks", { timeout: 60_000 }, async () => {
    const engine = sandbox.client();
    for (let loss = 1; loss <= 5; loss++) {
      const { pid } = await engine.diagnostics();
      kill(pid, "SIGKILL");
      await nextState(engine, (state) => state.kind === "failed");
    }
    await expect(engine.diagnostics()).rejects.toMatchObject({ code: "engine/restart-limit" });
    await engine.restart();
    expect((await engine.diagnostics()).pid).toBeGreaterThan(0);
  });

  it("is not started again for a client that is gone", async () => {
    const engine = sandbox.client();
    const { pid } = await engine.diagnostics();
    kill(pid, "SIGKILL");
    await nextState(engine, (state) => state.kind === "failed");
    engine.dispose();
    await sleep(1_000);
    expect(sandbox.engineFile().pid).toBe(pid);
  });

  it("that stands still is told to its requests in about a second and killed after ten", {
    timeout: 40_000,
  }, async () => {
    const { error, ms } = await errorAfter((pid) => process.kill(pid, "SIGSTOP"));
    expect(error.code).toBe("engine/unresponsive");
    expect(ms).toBeLessThan(1_500);
    const { pid } = sandbox.engineFile();
    await until(() => processState(pid) === "absent", 15_000);
  });
});

describe("one engine per user", () => {
  it("serves clients that start at the same instant", async () => {
    const clients = Array.from({ length: 6 }, () => sandbox.client());
    const reports = await Promise.all(clients.map((client) => client.diagnostics()));
    expect(new Set(reports.map((report) => report.pid)).size).toBe(1);
    // Those that found the lock taken end; their environment names the runtime folder of this test.
    await until(() => enginesOf(sandbox.files.directory).length === 1);
  });

  it("tells a client that comes later which model is ready", async () => {
    await sandbox.client().load(starter);
    const later = sandbox.client();
    await later.diagnostics();
    expect(later.state.kind === "running" && later.state.models.get(specKey(starter))).toMatchObject({
      phase: "ready",
    });
  });

  it("outlives a client that vanishes while text streams to it", async () => {
    const [staying, leaving] = [sandbox.client(), sandbox.client()];
    const { pid } = await staying.diagnostics();
    for (let i = 0; i < 5; i++) {
      const vanishing = sandbox.client();
      const running = vanishing.generate(longRequest(), () => vanishing.dispose());
      await expect(running).rejects.toMatchObject({ code: "request/cancelled" });
    }
    expect((await leaving.generate(request(), () => {})).text).not.toBe("");
    expect((await staying.diagnostics()).pid).toBe(pid);
  });

  it("does not take a request that was cancelled in the queue for a wedged one", async () => {
    const strict = engineSandbox({ HOTPATH_WEDGED_MS: "50" });
    const engine = strict.client();
    await engine.load(starter);
    const running = engine.generate(longRequest({ documentId: "long", sequenceKey: "long" }), () => {});
    const queued = new AbortController();
    const waiting = engine.generate(request(), () => {}, queued.signal);
    queued.abort();
    await expect(waiting).rejects.toMatchObject({ code: "request/cancelled" });
    expect((await running).stats.generatedTokens).toBe(400);
    await strict.end();
  });

  it("cancels a load whose only client went away", async () => {
    const [watcher, loader] = [sandbox.client(), sandbox.client()];
    await Promise.all([watcher.diagnostics(), loader.diagnostics()]);
    const controller = new AbortController();
    const loading = loader.load(starter, controller.signal);
    controller.abort();
    await expect(loading).rejects.toMatchObject({ code: "request/cancelled" });
    expect((await loader.generate(request(), () => {})).text).not.toBe("");
  });

  it("starts although an engine hangs with the lock and cannot be asked", { timeout: 60_000 }, async () => {
    const first = sandbox.client();
    const { pid } = await first.diagnostics();
    process.kill(pid, "SIGSTOP");
    rmSync(sandbox.files.engine);
    first.dispose();
    expect((await sandbox.client().diagnostics()).pid).not.toBe(pid);
    expect(processState(pid)).toBe("absent");
  });

  it("is restarted by the user although it stands still", { timeout: 60_000 }, async () => {
    const engine = sandbox.client();
    const { pid } = await engine.diagnostics();
    process.kill(pid, "SIGSTOP");
    await engine.restart();
    expect((await engine.diagnostics()).pid).not.toBe(pid);
  });

  it("is not killed for a newcomer while it stands still for a moment", { timeout: 30_000 }, async () => {
    const { pid } = await sandbox.client().diagnostics();
    process.kill(pid, "SIGSTOP");
    const newcomer = sandbox.client().diagnostics();
    await sleep(2_500);
    process.kill(pid, "SIGCONT");
    expect((await newcomer).pid).toBe(pid);
  });

  it("has one connection per client, also after a restart during the back-off", async () => {
    const engine = sandbox.client();
    const { pid } = await engine.diagnostics();
    kill(pid, "SIGKILL");
    await nextState(engine, (state) => state.kind === "failed");
    await engine.restart();
    await sleep(500);
    expect((await engine.diagnostics()).clientCount).toBe(1);
  });

  it("serves two processes that start at the same instant", async () => {
    const run = () =>
      new Promise<string>((resolve, reject) => {
        const child = spawn(process.execPath, [path.join(root, "dist", "cli.js"), "doctor", "--json"], {
          env: sandbox.env,
        });
        let output = "";
        child.stdout.on("data", (data) => {
          output += data;
        });
        child.on("error", reject);
        child.on("exit", () => resolve(output));
      });
    const reports = (await Promise.all([run(), run()])).map((output) => JSON.parse(output));
    expect(reports[0].engine.pid).toBe(reports[1].engine.pid);
  });

  it("starts although a dead engine left its files", async () => {
    const first = sandbox.client();
    await first.diagnostics();
    const stale = readFileSync(sandbox.files.engine, "utf8");
    const { pid } = sandbox.engineFile();
    first.dispose();
    kill(pid, "SIGKILL");
    await until(() => processState(pid) === "absent");
    writeFileSync(sandbox.files.engine, stale);
    expect((await sandbox.client().diagnostics()).pid).not.toBe(pid);
  });

  it("starts although its engine file is garbage", async () => {
    writeFileSync(sandbox.files.engine, '{"pid": ');
    expect((await sandbox.client().diagnostics()).pid).toBeGreaterThan(0);
  });

  it("ends when no client is left and leaves nothing behind", async () => {
    const engine = sandbox.client();
    const { pid } = await engine.diagnostics();
    engine.dispose();
    await until(() => processState(pid) === "absent");
    expect(existsSync(sandbox.files.engine)).toBe(false);
  });

  it("unloads the model after the idle time and loads it again when needed", async () => {
    const engine = sandbox.client({ preferences: { idleUnloadMinutes: 0.3 / 60 } });
    await engine.load(starter);
    const unloaded = await nextState(
      engine,
      (state) => state.kind === "running" && state.models.get(specKey(starter))?.phase === "unloaded",
    );
    expect(unloaded.kind === "running" && unloaded.models.get(specKey(starter))).toMatchObject({ reason: "idle" });
    expect((await engine.generate(request(), () => {})).text).not.toBe("");
  });

  it("explains a build it cannot load", async () => {
    const broken = path.join(temporaryFolder(), "engineHost.js");
    copyFileSync(engineScript, broken);
    const engine = sandbox.client({ engineScript: broken });
    const error = await engine.diagnostics().catch((thrown) => thrown as AppError);
    expect(error).toMatchObject({ code: "engine/start-failed" });
    expect((error as AppError).message).toContain("hotpath.node");
  });
});

function enginesOf(directory: string): string[] {
  const processes = execFileSync("ps", ["axeww", "-o", "pid=,args="], { encoding: "utf8" }).split("\n");
  const isEngine = (line: string) => line.includes(`${engineScript} `) && !line.includes("/bin/sh");
  return processes.filter((line) => isEngine(line) && line.includes(`HOTPATH_RUNTIME_DIR=${directory}`));
}

describe("versions", () => {
  function otherBuild(version: string): string {
    const folder = temporaryFolder();
    symlinkSync(path.join(root, "dist", "native"), path.join(folder, "native"));
    const script = path.join(folder, "engineHost.js");
    writeFileSync(script, readFileSync(engineScript, "utf8").replaceAll(builtVersion, version));
    return script;
  }

  it("an older engine leaves for a newer client, and its clients are told", async () => {
    const older = sandbox.client();
    const { pid } = await older.diagnostics();
    const newer = sandbox.client({ productVersion: "99.0.0+x", engineScript: otherBuild("99.0.0+x") });
    const report = await newer.diagnostics();
    expect(report.productVersion).toBe("99.0.0+x");
    expect(report.pid).not.toBe(pid);
    await expect(older.diagnostics()).rejects.toMatchObject({
      code: "engine/version",
      message: expect.stringContaining("reload the window"),
    });
  });

  it("another build of the version is served beside others, and replaces an engine that has no other client", async () => {
    const own = sandbox.client();
    const { pid } = await own.diagnostics();
    const version = builtVersion.replace(/\+.*/, "+0therbld");
    const options = { productVersion: version, engineScript: otherBuild(version) };
    expect((await sandbox.client(options).diagnostics()).pid).toBe(pid);
    own.dispose();
    await sleep(200);
    const alone = engineSandbox();
    const first = alone.client();
    const before = (await first.diagnostics()).pid;
    first.dispose();
    await sleep(200);
    expect((await alone.client(options).diagnostics()).pid).not.toBe(before);
    await alone.end();
  });

  it("a newer engine stays when an older client comes", async () => {
    const newer = sandbox.client({ productVersion: "99.0.0+x", engineScript: otherBuild("99.0.0+x") });
    const { pid } = await newer.diagnostics();
    await expect(sandbox.client().diagnostics()).rejects.toMatchObject({ code: "engine/version" });
    expect((await newer.diagnostics()).pid).toBe(pid);
  });
});

describe("strangers", () => {
  async function rawConnection() {
    await sandbox.client().diagnostics();
    const socket = connect(sandbox.engineFile().socket);
    const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    connection.listen();
    return { connection, socket };
  }

  it("cannot read the engine's files", async () => {
    await sandbox.client().diagnostics();
    const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
    expect([mode(sandbox.files.directory), mode(sandbox.files.engine), mode(sandbox.files.log)]).toEqual([
      "700",
      "600",
      "600",
    ]);
  });

  const onlyRoot = { meta: { reason: "only root can give a folder to somebody else; run it as root" } };
  it.runIf(process.getuid?.() === 0)("cannot pose as the engine in a folder of theirs", onlyRoot, async () => {
    chownSync(sandbox.files.directory, 65534, 65534);
    await expect(sandbox.client().diagnostics()).rejects.toMatchObject({
      code: "engine/start-failed",
      message: expect.stringContaining("belongs to user 65534"),
    });
  });

  it("are refused with a wrong secret", async () => {
    const { connection } = await rawConnection();
    const hello = { protocolVersion, productVersion: builtVersion, secret: "guess", client: "stranger" };
    await expect(connection.sendRequest(helloRequest, hello)).rejects.toMatchObject({
      data: { code: "engine/refused" },
    });
  });

  it("get no answer before hello", async () => {
    const { connection } = await rawConnection();
    await expect(connection.sendRequest(diagnosticsRequest)).rejects.toMatchObject({
      data: { code: "engine/refused" },
    });
  });

  it("do not bring the engine down with garbage", async () => {
    const { socket } = await rawConnection();
    socket.write("Content-Length: 99999999999\r\n\r\n{{{{");
    socket.write(Buffer.alloc(4096, 0xff));
    await sleep(100);
    socket.destroy();
    expect((await sandbox.client().diagnostics()).pid).toBe(sandbox.engineFile().pid);
  });
});
