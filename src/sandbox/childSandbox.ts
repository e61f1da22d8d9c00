// The confined child as a sandbox: found out about with a first child, which then waits for the first program.
import { existsSync, realpathSync } from "node:fs";
import { AppError } from "../common/errors.ts";
import { ConfinedChild } from "./confinedChild.ts";
import { type ChildPlan, childCommand, judgeIsolation, type OptionalLayer, permissionFlags } from "./confinement.ts";
import { FreshSandbox, requireConsent, unavailable } from "./freshSandbox.ts";
import type { Isolation, Sandbox } from "./sandbox.ts";

export interface ChildSandboxOptions {
  /** dist/ of the product. */
  readonly folder: string;
  /** The user knows that a wall is missing here and wants to go on. */
  readonly allowReduced: boolean;
  /** Walls left out, for tests of what is done without them. */
  readonly without?: readonly OptionalLayer[];
}

/**
 * Starts a first child and tries what holds it. Rejects with `sandbox/unavailable` when too little does, and when
 * isolation is reduced and the caller has no consent for that.
 */
export async function createChildSandbox({
  folder,
  allowReduced,
  without = [],
}: ChildSandboxOptions): Promise<Sandbox> {
  const { child, plan, fingerprint, isolation } = await startFirst(folder, without);
  try {
    requireConsent(isolation, allowReduced);
  } catch (error) {
    child.kill();
    throw error;
  }
  return new FreshSandbox(isolation, child, () => new ConfinedChild(childCommand(plan), fingerprint));
}

/** What would hold a program here; starts and ends a process, which takes a quarter of a second. */
export async function probeChildIsolation(folder: string): Promise<Isolation> {
  const { child, isolation } = await startFirst(folder, []);
  child.kill();
  return isolation;
}

interface FirstChild {
  readonly child: ConfinedChild;
  readonly plan: ChildPlan;
  readonly fingerprint: string;
  readonly isolation: Isolation;
}

async function startFirst(folder: string, without: readonly OptionalLayer[]): Promise<FirstChild> {
  if (process.versions.electron !== undefined) {
    throw unavailable("the editor's own Node does not confine itself; the benchmark panel has a place of its own");
  }
  // The permission flag compares paths as they are written, and Node finds its script by its real one.
  const realFolder = existsSync(folder) ? realpathSync(folder) : folder;
  for (const permissionFlag of [...permissionFlags, null]) {
    const plan = { folder: realFolder, permissionFlag, without };
    const child = new ConfinedChild(childCommand(plan), null);
    try {
      const { helper, probes, interpreter, fingerprint } = await child.probed();
      return { child, plan, fingerprint, isolation: judgeIsolation(helper, probes, interpreter) };
    } catch (error) {
      if (child.refusedOption) continue;
      child.kill();
      throw error instanceof AppError ? error : unavailable((error as Error).message, error);
    }
  }
  throw unavailable(`Node ${process.versions.node} refuses to start a confined child`);
}
