// The walls around the confined child, each attacked from inside with arbitrary JavaScript and with bare system calls.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { childCommand, type OptionalLayer, permissionFlags } from "../../src/sandbox/confinement.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";
import { findOnPath } from "../support/tools.mjs";
import { attackScript, product, putUpTargets } from "./targets.ts";

const nobody = 65534;
const isLinux = process.platform === "linux";
const onlyLinux = { meta: { reason: "the walls are those of Linux" } };

interface Attack {
  readonly name: string;
  readonly reached: boolean;
  readonly refusal: string | null;
}

let permissionFlag: string = permissionFlags[0];

beforeAll(() => {
  const knows = (flag: string) => process.allowedNodeEnvironmentFlags.has(flag);
  permissionFlag = permissionFlags.find(knows) ?? permissionFlags[0];
});

const users = process.getuid?.() === 0 ? [0, nobody] : [process.getuid?.() ?? 0];
const userName = (uid: number) => (uid === 0 ? "root" : "an ordinary user");

function start(uid: number, command: string, args: readonly string[]): ChildProcess {
  const identity = uid === process.getuid?.() ? {} : { uid, gid: uid };
  return spawn(command, args, { ...identity, env: {}, cwd: "/", detached: true, stdio: "pipe" });
}

/** Every attack of the list, in as many processes as it takes: some end the one they run in. */
async function attack(uid: number, command: (dist: string) => { command: string; args: readonly string[] }) {
  const { targets, dist, hits } = await putUpTargets(uid);
  const results: Attack[] = [];
  for (;;) {
    const { command: file, args } = command(dist);
    const child = start(uid, file, args);
    if (!child.stdin || !child.stdout || !child.stderr) throw new Error("no pipes");
    child.stdin.on("error", () => {}); // Told by its output.
    child.stdin.write(`${JSON.stringify({ ...targets, from: results.length })}\n`);
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const lines = output
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Attack & { total?: number });
    results.push(...lines.filter(({ total }) => total === undefined));
    const { total } = lines.at(-1) ?? {};
    if (total !== undefined) {
      expect(results).toHaveLength(total);
      return { results, reached: results.filter(({ reached }) => reached).map(({ name }) => name), hits };
    }
    results.push({
      name: `number ${results.length}`,
      reached: false,
      refusal: `it ended the process: ${errors.slice(-300)}`,
    });
    if (results.length > 100) throw new Error(`the attacks do not start: ${errors}`);
  }
}

const confined =
  (without: readonly OptionalLayer[], flag: string | null = permissionFlag) =>
  (dist: string) =>
    childCommand({ folder: dist, permissionFlag: flag, without, script: attackScript(dist) });

describe.runIf(isLinux).each(users)("attacks in JavaScript by uid %i", onlyLinux, (uid) => {
  it("reach a lot without walls, or they would prove nothing", async () => {
    const { reached, hits } = await attack(uid, (dist) => ({ command: process.execPath, args: [attackScript(dist)] }));
    expect(reached.length).toBeGreaterThan(25);
    expect([...new Set(hits)].sort()).toEqual(["TCP", "UDP", "abstract socket", "socket file"]);
  });

  it.each<{ without: OptionalLayer[] }>([{ without: [] }, { without: ["landlock"] }, { without: ["namespaces"] }])(
    `reach nothing without $without, as ${userName(uid)}`,
    async ({ without }) => {
      const { results, reached, hits } = await attack(uid, confined(without));
      expect(reached).toEqual([]);
      expect(hits).toEqual([]);
      expect(results.filter(({ refusal }) => refusal?.startsWith("it ended the process"))).toEqual([]);
    },
  );

  it.each<{ without: OptionalLayer[]; harmless: string[] }>([
    { without: [], harmless: ["start a thread"] },
    // A root of its own, which holds nothing else.
    { without: ["landlock"], harmless: ["list the root", "start a thread", "see the root through WASI"] },
    { without: ["namespaces"], harmless: ["start a thread"] },
  ])("reach nothing of anyone else's without the permission flag and $without", async ({ without, harmless }) => {
    const { reached, hits } = await attack(uid, confined(without, null));
    expect(reached).toEqual(harmless);
    expect(hits).toEqual([]);
  });

  it("reach no more than readable files with seccomp and the permission flag alone", async () => {
    const { reached, hits } = await attack(uid, confined(["landlock", "namespaces"]));
    expect(reached).toEqual(["read through a link in its own folder", "resolve a name"]);
    expect(hits).toEqual([]);
  });
});

describe.runIf(isLinux).each(users)("system calls by uid %i", onlyLinux, (uid) => {
  it.each<{ without: OptionalLayer[] }>([{ without: [] }, { without: ["landlock"] }, { without: ["namespaces"] }])(
    "are refused but for those that are harmless, without $without",
    async ({ without }) => {
      const { stdout } = await systemCalls(uid, without);
      expect(stdout.filter((line) => line.endsWith("succeeded"))).toEqual(["tgkill to itself: succeeded"]);
      expect(stdout.length).toBeGreaterThan(50);
    },
  );

  it("would not be refused by the other walls", async () => {
    const { stdout } = await systemCalls(uid, ["seccomp"]);
    expect(stdout).toContain("socket of the internet: succeeded");
    expect(stdout).toContain("fork: succeeded");
  });
});

async function systemCalls(uid: number, without: readonly OptionalLayer[]): Promise<{ stdout: string[] }> {
  const folder = temporaryFolder();
  execFileSync("chmod", ["755", folder]);
  // The checkout may be closed to other users.
  const helper = path.join(folder, "hotpath-confine");
  copyFileSync(path.join(product, "native", "hotpath-confine"), helper);
  const program = path.join(folder, "systemCalls");
  execFileSync(findOnPath(["cc", "gcc", "clang"]) ?? "cc", [
    "-O1",
    "-o",
    program,
    path.join(root, "test", "sandbox", "systemCalls.c"),
  ]);
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  const readable = [program, ...sharedObjects.filter((file) => path.isAbsolute(file) && existsSync(file))];
  const args = [...without.flatMap((layer) => ["--without", layer]), ...readable.flatMap((file) => ["--run", file])];
  const child = start(uid, helper, [...args, "--", program, String(process.pid)]);
  if (!child.stdout || !child.stderr) throw new Error("no pipes");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (!stdout) throw new Error(`the system calls were not tried: ${stderr}`);
  return { stdout: stdout.trim().split("\n") };
}
