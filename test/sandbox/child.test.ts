// The confined child as programs and their owners see it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createChildSandbox, probeChildIsolation } from "../../src/sandbox/childSandbox.ts";
import type { OptionalLayer } from "../../src/sandbox/confinement.ts";
import type { Isolation, Sandbox, Verdict } from "../../src/sandbox/sandbox.ts";
import { kill, processState, until } from "../support/engineSandbox.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";
import { forgeries, forgeryMessage, printedVerdict } from "./forgeries.ts";
import { programs } from "./programs.ts";
import { product } from "./targets.ts";

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await createChildSandbox({ folder: product, allowReduced: true });
}, 60_000);

afterAll(() => sandbox.dispose());

const outcomeOf = async (source: string): Promise<Omit<Verdict, "wallMs">> => {
  const { outcome, message } = await sandbox.run(source);
  return { outcome, message };
};

describe("a program in the confined child", () => {
  it("gets the verdicts that it gets in a worker of the panel", async () => {
    for (const [source, outcome, message = expect.any(String)] of programs) {
      expect(await outcomeOf(source), source).toEqual({ outcome, message });
    }
  }, 60_000);

  it.each([
    ["sys.exit", "import sys\nsys.exit(0)\nassert False"],
    ["os._exit", "import os\nos._exit(0)"],
    ["sys.exit behind a handler for exceptions", "import sys\ntry:\n  sys.exit(0)\nexcept Exception:\n  pass"],
  ])("does not pass when it leaves by %s", async (_, source) => {
    const { outcome, message } = await outcomeOf(source);
    expect(outcome).toBe("failed");
    expect(message).toMatch(/^left before its end/);
  });

  it("does not pass by replacing what could decide about it", async () => {
    const source = [
      "import builtins, sys, traceback",
      "class Passed(AssertionError): pass",
      "builtins.AssertionError = Passed",
      "builtins.exec = builtins.compile = builtins.eval = lambda *a, **k: None",
      "sys.excepthook = traceback.format_exception = traceback.print_exception = lambda *a, **k: ['passed']",
      "assert False, 'still'",
    ].join("\n");
    expect((await outcomeOf(source)).outcome).not.toBe("passed");
  });

  it("leaves nothing behind for the next one", async () => {
    await outcomeOf("import builtins, math\nbuiltins.left = 1\nmath.pi = 3\nopen('left', 'w').write('x')");
    const source = "import math, os\nassert math.pi > 3.1 and not os.path.exists('left')\nleft";
    expect(await outcomeOf(source)).toEqual({ outcome: "failed", message: "NameError: name 'left' is not defined" });
  });
});

describe("a program that wants to change its verdict", () => {
  it.each(forgeries)("fails as it did when it %s", async (_, source) => {
    expect(await outcomeOf(source)).toEqual({ outcome: "failed", message: forgeryMessage });
  });

  it("does not pass by printing another", async () => {
    expect((await outcomeOf(printedVerdict)).outcome).toBe("crashed");
  });
});

describe("a hostile program", () => {
  it("gets no more memory than the limit", async () => {
    const { outcome } = await outcomeOf("a = []\nwhile True: a.append(bytearray(10**7))");
    expect(outcome).toBe("memory");
    expect(await outcomeOf("bytearray(2**31 - 1)")).toMatchObject({ outcome: "memory" });
  }, 30_000);

  it("finds no process, shell or debugger", async () => {
    for (const source of [
      "import os\nos.system('id')",
      "import os\nos.fork()",
      "import subprocess\nsubprocess.run(['id'])",
      "import os\nos.execv('/bin/id', ['id'])",
      "import threading\nthreading.Thread(target=print).start()",
    ]) {
      const { outcome } = await outcomeOf(source);
      expect(["failed", "crashed"], source).toContain(outcome);
    }
  }, 60_000);

  it("finds nothing of JavaScript", async () => {
    for (const source of [
      "from pyodide.code import run_js\nrun_js('1')",
      "from pyodide.ffi import to_js\nto_js([]).constructor.constructor('return process')()",
      "import pyodide_js\npyodide_js.mountNodeFS('/host', '/')\nopen('/host/etc/passwd').read()",
    ]) {
      const { outcome } = await outcomeOf(source);
      expect(["failed", "crashed"], source).toContain(outcome);
    }
  }, 60_000);

  it("finds no file of this machine and nothing of its environment", async () => {
    const source = [
      "import os",
      "assert not os.path.exists('/etc/passwd'), 'passwd'",
      `assert not os.path.exists(${JSON.stringify(process.execPath)}), 'node'`,
      `assert ${JSON.stringify(process.env.PATH)} not in os.environ.values(), 'PATH'`,
    ].join("\n");
    expect(await outcomeOf(source)).toEqual({ outcome: "passed", message: null });
  });

  it("reaches no server", async () => {
    const visits: string[] = [];
    const server = http.createServer((request, response) => {
      visits.push(request.url ?? "");
      response.end();
    });
    server.on("connection", () => visits.push("connection"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const source of [
      `import socket\ns = socket.create_connection(('127.0.0.1', ${port}), timeout=2)\ns.send(b'GET / HTTP/1.0\\r\\n\\r\\n')\nassert s.recv(9)`,
      `import urllib.request\nurllib.request.urlopen('http://127.0.0.1:${port}/', timeout=2)`,
      `from pyodide.http import open_url\nopen_url('http://127.0.0.1:${port}/')`,
    ]) {
      expect((await outcomeOf(source)).outcome, source).not.toBe("passed");
    }
    expect(visits).toEqual([]);
    await (await fetch(`http://127.0.0.1:${port}/control`)).text();
    expect(visits).toContain("/control");
    server.close();
  }, 60_000);
});

describe("the confined child", () => {
  it("runs one program at a time, in the order they came", async () => {
    const ended: string[] = [];
    const run = (name: string, source: string) => sandbox.run(source).then(() => ended.push(name));
    await Promise.all([run("slow", "sum(range(10**6))"), run("quick", ""), run("broken", "(")]);
    expect(ended).toEqual(["slow", "quick", "broken"]);
  });

  it("is replaced when it ended while it waited", async () => {
    await outcomeOf("");
    const spare = descendantsOf(process.pid);
    for (const pid of spare) kill(pid, "SIGKILL");
    await until(() => spare.every((pid) => processState(pid) === "absent"));
    expect(await outcomeOf("")).toEqual({ outcome: "passed", message: null });
  });

  it("is ended at once when the caller gives up", async () => {
    const controller = new AbortController();
    const running = sandbox.run("while True: pass", controller.signal);
    setTimeout(() => controller.abort(), 200);
    await expect(running).rejects.toMatchObject({ code: "request/cancelled" });
    expect(await outcomeOf("")).toEqual({ outcome: "passed", message: null });
  });

  it("does not run a program whose caller gave up before its turn", async () => {
    const controller = new AbortController();
    const first = sandbox.run("");
    const second = sandbox.run("", controller.signal);
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: "request/cancelled" });
    expect((await first).outcome).toBe("passed");
  });

  it("runs nothing any more when it was closed, and says so", async () => {
    const closing = await createChildSandbox({ folder: product, allowReduced: true });
    const running = closing.run("while True: pass");
    setTimeout(() => closing.dispose(), 200);
    await expect(running).rejects.toMatchObject({ code: "sandbox/unavailable" });
    await expect(closing.run("")).rejects.toMatchObject({ code: "sandbox/unavailable" });
  });

  it("ends with its owner, however that ends", async () => {
    const folder = temporaryFolder();
    const owner = path.join(folder, "owner.mjs");
    await build({
      stdin: {
        contents: `import { createChildSandbox } from "./src/sandbox/childSandbox.ts";
          const sandbox = await createChildSandbox({ folder: ${JSON.stringify(product)}, allowReduced: true });
          void sandbox.run("while True: pass");
          setTimeout(() => console.log("running"), 300);`,
        resolveDir: root,
      },
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["ws"],
      outfile: owner,
      logLevel: "error",
    });
    const child = spawn(process.execPath, [owner], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const descendants = descendantsOf(child.pid ?? 0);
    expect(descendants.length).toBeGreaterThanOrEqual(2);
    child.kill("SIGKILL");
    await until(() => descendants.every((pid) => ["absent", "Z"].includes(processState(pid))));
  }, 30_000);
});

const onlyX64 = { meta: { reason: "isolation is full on x86-64 only" } };
const onlyRoot = { meta: { reason: "it is about root; run it as root" } };

describe.runIf(process.platform === "linux")("isolation", { meta: { reason: "its walls are those of Linux" } }, () => {
  it.runIf(process.arch === "x64")("is full here, with every wall tried", onlyX64, async () => {
    const { level, layers, place, interpreter } = await probeChildIsolation(product);
    expect({ level, place }).toEqual({ level: "full", place: "child" });
    expect(layers.filter(({ isPresent }) => !isPresent)).toEqual([]);
    expect(layers.map(({ name }) => name)).toEqual([
      "seccomp",
      "Landlock",
      "namespaces",
      "permission flag",
      "no code from strings",
      "memory limit",
      "empty environment",
    ]);
    expect(interpreter).toMatch(/^Pyodide \d+\.\d+\.\d+, CPython 3\.\d+\.\d+$/);
  });

  it("is full without Landlock, whose work a private root does", async () => {
    const isolation = await isolationWithout("landlock");
    expect(isolation.level).toBe("full");
    expect(isolation.layers.find(({ name }) => name === "private root")?.isPresent).toBe(true);
  });

  it("is full without namespaces, and says that they are missing", async () => {
    const isolation = await isolationWithout("namespaces");
    expect(isolation.level).toBe("full");
    expect(isolation.layers.filter(({ isPresent }) => !isPresent).map(({ name }) => name)).toEqual(["namespaces"]);
  });

  it.runIf(process.getuid?.() === 0)("is refused to root without both", onlyRoot, async () => {
    const refused = createChildSandbox({ folder: product, allowReduced: true, without: ["landlock", "namespaces"] });
    await expect(refused).rejects.toThrow("run as another user");
  });

  it("is refused without seccomp, consent or not", async () => {
    const refused = createChildSandbox({ folder: product, allowReduced: true, without: ["seccomp"] });
    await expect(refused).rejects.toMatchObject({ code: "sandbox/unavailable" });
    await expect(refused).rejects.toThrow("no seccomp");
  });

  it("is refused where the product's files are not", async () => {
    const folder = temporaryFolder();
    await expect(createChildSandbox({ folder, allowReduced: true })).rejects.toMatchObject({
      code: "sandbox/unavailable",
    });
  });
});

/** After two programs. */
async function isolationWithout(layer: OptionalLayer): Promise<Isolation> {
  const made = await createChildSandbox({ folder: product, allowReduced: process.arch !== "x64", without: [layer] });
  // The second runs in another process than the one that was tried first.
  for (const source of ["", ""]) expect((await made.run(source)).outcome).toBe("passed");
  made.dispose();
  return made.isolation;
}

/** Children of children included. */
function descendantsOf(pid: number): number[] {
  const rows = execFileSync("ps", ["-e", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const parents = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const children = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}
