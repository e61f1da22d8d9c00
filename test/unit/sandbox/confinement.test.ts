import { describe, expect, it } from "vitest";
import { type ChildProbes, parseChildProbes } from "../../../src/sandbox/child/childProbes.ts";
import { type HelperReport, judgeIsolation, parseHelperReport, type System } from "../../../src/sandbox/confinement.ts";

const helper: HelperReport = { namespaces: true, privateRoot: false, landlock: 7, seccomp: true };
const probes: ChildProbes = {
  node: "20.20.2",
  isFirstProcess: true,
  environmentVariables: 0,
  openUnlistedFile: "EACCES",
  openUnpermittedFile: "ERR_ACCESS_DENIED",
  openSocket: "EPERM",
  signalItself: "EPERM",
  codeFromString: "EvalError",
  tooMuchMemory: "RangeError",
};
const linux: System = { platform: "linux", arch: "x64", isRoot: false };

function levelOf(
  changes: Partial<ChildProbes> = {},
  claims: Partial<HelperReport> | null = {},
  system: Partial<System> = {},
) {
  const report = claims && { ...helper, ...claims };
  return judgeIsolation(report, { ...probes, ...changes }, "", { ...linux, ...system }).level;
}

const without = {
  landlock: [{ openUnlistedFile: null }, { landlock: 0 }],
  namespaces: [{ isFirstProcess: false }, { namespaces: false }],
  both: [
    { openUnlistedFile: null, isFirstProcess: false },
    { landlock: 0, namespaces: false },
  ],
} as const;

describe("the level of isolation", () => {
  it("is full with every wall, with a private root for Landlock, and without namespaces where Landlock keeps signals in", () => {
    expect(levelOf()).toBe("full");
    expect(levelOf({ openUnlistedFile: "ENOENT" }, { landlock: 0, privateRoot: true })).toBe("full");
    expect(levelOf(...without.namespaces)).toBe("full");
  });

  it("is reduced where seccomp alone keeps signals from others", () => {
    const [found, claimed] = without.namespaces;
    expect(levelOf(found, { ...claimed, landlock: 6 })).toBe("full");
    expect(levelOf(found, { ...claimed, landlock: 5 })).toBe("reduced");
  });

  it("is reduced without a wall around files, without the permission flag, and where nobody attacked it", () => {
    expect(levelOf(...without.both)).toBe("reduced");
    expect(levelOf({ openUnpermittedFile: null })).toBe("reduced");
    expect(levelOf({}, {}, { arch: "arm64" })).toBe("reduced");
    const bare = { openUnlistedFile: null, openSocket: null, signalItself: null, isFirstProcess: false };
    expect(levelOf(bare, null, { platform: "darwin" })).toBe("reduced");
  });

  it("does not exist when a wall that is claimed does not hold", () => {
    expect(() => levelOf({ openSocket: null })).toThrow("seccomp does not hold (opening a socket: succeeded");
    expect(() => levelOf({ openSocket: "ECONNREFUSED" })).toThrow("seccomp does not hold");
    expect(() => levelOf({ openUnlistedFile: null })).toThrow("Landlock does not hold");
    expect(() => levelOf({ openUnlistedFile: "EACCES" }, { landlock: 0, privateRoot: true })).toThrow("private root");
    expect(() => levelOf({ isFirstProcess: false })).toThrow("namespaces does not hold");
    expect(() => levelOf({ codeFromString: null })).toThrow("no code from strings does not hold");
    expect(() => levelOf({ tooMuchMemory: null })).toThrow("memory limit does not hold");
    expect(() => levelOf({ environmentVariables: 1 })).toThrow("empty environment does not hold");
  });

  it("does not exist when too little is left", () => {
    expect(() => levelOf({ openSocket: null, signalItself: null }, { seccomp: false })).toThrow("no seccomp");
    expect(() => levelOf({ openSocket: null, isFirstProcess: false }, null)).toThrow("hotpath-confine is missing");
    expect(() => levelOf(...without.both, { isRoot: true })).toThrow("run as another user");
    const open = { openUnlistedFile: null, openUnpermittedFile: null, openSocket: null, isFirstProcess: false };
    expect(() => levelOf(open, null, { platform: "darwin" })).toThrow("no permission flag");
  });
});

describe("what a child tells", () => {
  it("counts as an attempt that succeeded where it is missing or makes no sense", () => {
    expect(parseChildProbes({ node: "20", environmentVariables: 0, openSocket: 7 })).toEqual({
      ...Object.fromEntries(Object.keys(probes).map((name) => [name, null])),
      node: "20",
      isFirstProcess: false,
      environmentVariables: 0,
    });
    expect(parseChildProbes({ node: "20" })).toBeNull();
  });
});

describe("the helper's report", () => {
  it("is read when it is whole, and not otherwise", () => {
    expect(parseHelperReport("hotpath-confine: namespaces=1 root=0 landlock=7 seccomp=1")).toEqual(helper);
    expect(parseHelperReport("hotpath-confine: namespaces=1 root=0 landlock=7")).toBeNull();
    expect(parseHelperReport("x hotpath-confine: namespaces=1 root=0 landlock=7")).toBeNull();
    expect(parseHelperReport("")).toBeNull();
  });
});
