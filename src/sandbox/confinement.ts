// How the confined child is started on this platform, and what its walls are worth: what the helper claims, what the
// child found when it tried, and the level that follows.
import { existsSync } from "node:fs";
import path from "node:path";
import type { ChildProbes } from "./child/childProbes.ts";
import { unavailable } from "./freshSandbox.ts";
import { type Isolation, type IsolationLayer, sandboxLimits } from "./sandbox.ts";

/** Names of Node's permission flag, newest first; which one a Node knows is found out by starting it. */
export const permissionFlags = ["--permission", "--experimental-permission"] as const;

export type OptionalLayer = "namespaces" | "landlock" | "seccomp";

export interface ChildPlan {
  /** dist/ of the product: the helper in native/, Pyodide in pyodide/, and the child's script. */
  readonly folder: string;
  /** null: this Node has none. */
  readonly permissionFlag: string | null;
  /** Left out, to see what is done where a system does not have them. */
  readonly without: readonly OptionalLayer[];
  /** Another script than the product's, to see what it can do in there. */
  readonly script?: string;
}

export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Its first line on stderr is the helper's report. */
  readonly hasHelper: boolean;
}

/** Version of Landlock's interface from which on it keeps signals from others. */
const scopedSignals = 6;
const wasmPageBytes = 65_536;
/** What V8 needs beside WebAssembly's memory comes on top of it, twice over. */
const processMemoryBytes = 2 * sandboxLimits.memoryBytes + (256 << 20);
/** The last wall behind the parent's clock: start and program together, on all threads of V8, on a slow machine. */
const processCpuSeconds = 30 + (2 * sandboxLimits.wallMs) / 1000;

export function childCommand({ folder, permissionFlag, without, script }: ChildPlan): ChildCommand {
  const pyodide = path.join(folder, "pyodide");
  const child = script ?? path.join(folder, "sandboxChild.mjs");
  const helper = path.join(folder, "native", "hotpath-confine");
  const hasHelper = process.platform === "linux" && existsSync(helper);
  // Harmless to read, always there, and on the permission flag's list but not on the helper's: tells the two apart.
  const unlistedFile = hasHelper ? helper : child;
  const memoryPages = sandboxLimits.memoryBytes / wasmPageBytes;
  const nodeArgs = [
    "--no-warnings",
    // Without it Node reads the system's OpenSSL configuration, and ends when it may not.
    ...(process.platform === "win32" ? [] : ["--openssl-config=/dev/null"]),
    `--wasm-max-mem-pages=${memoryPages}`,
    "--max-old-space-size=512",
    "--disallow-code-generation-from-strings",
    ...(permissionFlag === null
      ? []
      : [permissionFlag, ...[pyodide + path.sep, child, unlistedFile].map((file) => `--allow-fs-read=${file}`)]),
    child,
    pyodide,
    unlistedFile,
    String(memoryPages),
  ];
  if (!hasHelper) return { command: process.execPath, args: nodeArgs, hasHelper };
  const args = [
    ["--memory", String(processMemoryBytes), "--cpu", String(processCpuSeconds)],
    ...without.map((layer) => ["--without", layer]),
    ...[process.execPath, ...sharedLibraries()].map((file) => ["--run", file]),
    ...[pyodide, child, "/dev/null"].map((file) => ["--read", file]),
    ["--", process.execPath, ...nodeArgs],
  ];
  return { command: helper, args: args.flat(), hasHelper };
}

let libraries: readonly string[] | null = null;

/** Those this very Node runs with; addons that something loaded into this process are none of them. */
function sharedLibraries(): readonly string[] {
  libraries ??= loadedLibraries().filter((file) => path.isAbsolute(file) && !file.endsWith(".node"));
  return libraries;
}

function loadedLibraries(): readonly string[] {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true; // The names of all peers would be looked up for it.
  try {
    return (report.getReport() as unknown as { sharedObjects: string[] }).sharedObjects;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** The helper's line: which layers it put up. */
export interface HelperReport {
  readonly namespaces: boolean;
  readonly privateRoot: boolean;
  /** Version of its interface; 0: none. */
  readonly landlock: number;
  readonly seccomp: boolean;
}

export function parseHelperReport(line: string): HelperReport | null {
  const match = /^hotpath-confine: namespaces=([01]) root=([01]) landlock=(\d+) seccomp=([01])$/.exec(line);
  if (!match) return null;
  const [, namespaces, root, landlock, seccomp] = match.map(Number);
  return {
    namespaces: namespaces === 1,
    privateRoot: root === 1,
    landlock: landlock ?? 0,
    seccomp: seccomp === 1,
  };
}

interface Wall extends IsolationLayer {
  /** The helper says it is there. */
  readonly isClaimed: boolean;
  /** A level of "full" needs it. */
  readonly isNeeded: boolean;
}

/** What decides, beside the walls themselves. */
export interface System {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly isRoot: boolean;
}

const thisSystem = (): System => ({
  platform: process.platform,
  arch: process.arch,
  isRoot: process.getuid?.() === 0,
});

/**
 * What holds this child, judged by what it could do. Throws `sandbox/unavailable` when a wall is claimed but does not
 * hold, and when too little is left to run anything at all.
 */
export function judgeIsolation(
  helper: HelperReport | null,
  probes: ChildProbes,
  interpreter: string,
  { platform, arch, isRoot } = thisSystem(),
): Isolation {
  const walls = wallsAround(helper, probes);
  const broken = walls.find(({ isClaimed, isPresent }) => isClaimed && !isPresent);
  if (broken) throw unavailable(`${broken.name} does not hold (${broken.detail})`);
  const holds = (name: string) => walls.some((wall) => wall.name === name && wall.isPresent);
  const keepsFiles = holds("Landlock") || holds("private root");
  if (platform === "linux" && !holds("seccomp")) {
    throw unavailable(
      helper
        ? "this kernel has no seccomp, which keeps a program from the network and from other processes"
        : `hotpath-confine is missing, or not built for ${arch}; build Hotpath on this machine`,
    );
  }
  if (!keepsFiles && !holds("permission flag")) throw unavailable(`Node ${probes.node} has no permission flag`);
  if (!keepsFiles && isRoot) {
    throw unavailable("only Node's permission flag would keep a program from root's files; run as another user");
  }
  // Beside seccomp; a wall of its own, as for files.
  const keepsSignals = holds("namespaces") || (holds("Landlock") && (helper?.landlock ?? 0) >= scopedSignals);
  // Only there was every attack of the tests tried.
  const isTriedSystem = platform === "linux" && arch === "x64";
  const isFull =
    isTriedSystem && keepsFiles && keepsSignals && walls.every(({ isNeeded, isPresent }) => isPresent || !isNeeded);
  const layers = walls.map(({ name, isPresent, detail }) => ({ name, isPresent, detail }));
  return { place: "child", level: isFull ? "full" : "reduced", layers, interpreter };
}

function wallsAround(helper: HelperReport | null, probes: ChildProbes): Wall[] {
  const tried = (what: string, refusal: string | null) => `${what}: ${refusal ?? "succeeded"}`;
  const fileWall = helper?.privateRoot ? "private root" : "Landlock";
  return [
    {
      name: "seccomp",
      isClaimed: helper?.seccomp === true,
      isPresent: probes.openSocket === "EPERM" && probes.signalItself === "EPERM",
      isNeeded: true,
      detail: `${tried("opening a socket", probes.openSocket)}, ${tried("kill", probes.signalItself)}`,
    },
    {
      name: fileWall,
      isClaimed: helper !== null && (helper.landlock > 0 || helper.privateRoot),
      isPresent: helper !== null && probes.openUnlistedFile === (helper.privateRoot ? "ENOENT" : "EACCES"),
      isNeeded: false, // Either of the two; looked at by name.
      detail: tried("opening a file that is not listed", probes.openUnlistedFile),
    },
    {
      name: "namespaces",
      isClaimed: helper?.namespaces === true,
      isPresent: helper !== null && probes.isFirstProcess,
      isNeeded: false, // Unless Landlock keeps signals from others.
      detail: `its process number is ${probes.isFirstProcess ? "1" : "the machine's"}`,
    },
    {
      name: "permission flag",
      isClaimed: false,
      isPresent: probes.openUnpermittedFile === "ERR_ACCESS_DENIED",
      isNeeded: true,
      detail: tried("opening Node's own file", probes.openUnpermittedFile),
    },
    {
      name: "no code from strings",
      isClaimed: true,
      isPresent: probes.codeFromString === "EvalError",
      isNeeded: true,
      detail: tried("making a function from a string", probes.codeFromString),
    },
    {
      name: "memory limit",
      isClaimed: true,
      isPresent: probes.tooMuchMemory === "RangeError",
      isNeeded: true,
      detail: tried(`more than ${sandboxLimits.memoryBytes >> 20} MB for Python`, probes.tooMuchMemory),
    },
    {
      name: "empty environment",
      isClaimed: helper !== null,
      isPresent: probes.environmentVariables === 0,
      isNeeded: true,
      detail: `${probes.environmentVariables} environment variables`,
    },
  ];
}
