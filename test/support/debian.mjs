// What tests may install by themselves: Debian packages, as root.
import { existsSync, readFileSync } from "node:fs";
import { findOnPath, run } from "./tools.mjs";

/** Not ID_LIKE: Ubuntu's chromium package only points to a snap. */
export function mayInstallPackages() {
  if (process.platform !== "linux" || process.getuid() !== 0) return false;
  if (!existsSync("/etc/os-release") || !findOnPath(["apt-get"])) return false;
  return /^ID="?debian"?$/m.test(readFileSync("/etc/os-release", "utf8"));
}

export async function installPackages(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update"], { env });
  const options = ["-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
  await run("apt-get", ["install", ...options, ...names], { env });
}
