// Whether the machine runs on battery. VS Code's own answer is a proposed API that a published extension may not use.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

const supplies = "/sys/class/power_supply";

export type PowerSource = "ac" | "battery";

export async function isOnBattery(platform = process.platform, folder = supplies): Promise<boolean> {
  return (await powerSource(platform, folder)) === "battery";
}

/** null: the system does not tell, as it is on most desktops and virtual machines. */
export async function powerSource(platform = process.platform, folder = supplies): Promise<PowerSource | null> {
  if (platform === "linux") return sourceOfSupplies(folder);
  if (platform === "darwin") return sourceIn(await printed("pmset", ["-g", "batt"]));
  if (platform === "win32") return sourceIn(await printed("powershell", ["-NoProfile", "-Command", windowsQuestion]));
  return null;
}

const windowsQuestion =
  "Add-Type -AssemblyName System.Windows.Forms; " +
  "switch ([Windows.Forms.SystemInformation]::PowerStatus.PowerLineStatus) " +
  "{ 'Offline' { 'Battery Power' } 'Online' { 'AC Power' } }";

/** pmset names the source it draws from; our question to Windows answers in the same words. */
export function sourceIn(text: string): PowerSource | null {
  if (text.includes("Battery Power")) return "battery";
  return text.includes("AC Power") ? "ac" : null;
}

/** A battery that discharges, and no mains that is plugged in: batteries of mice and keyboards discharge all the time. */
async function sourceOfSupplies(folder: string): Promise<PowerSource | null> {
  const read = (name: string, file: string) =>
    readFile(path.join(folder, name, file), "utf8").then(
      (text) => text.trim(),
      () => "", // Not every supply has every file.
    );
  const names = await readdir(folder).catch(() => []); // Nothing is known of such a machine.
  const facts = await Promise.all(
    names.map(async (name) => ({
      type: await read(name, "type"),
      scope: await read(name, "scope"),
      status: await read(name, "status"),
      online: await read(name, "online"),
    })),
  );
  if (facts.some(({ type, online }) => type !== "Battery" && online === "1")) return "ac";
  const batteries = facts.filter(({ type, scope }) => type === "Battery" && scope !== "Device");
  if (batteries.length === 0) return null;
  return batteries.some(({ status }) => status === "Discharging") ? "battery" : "ac";
}

function printed(command: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    // Whoever cannot answer does not tell.
    execFile(command, args, { windowsHide: true, timeout: 10_000 }, (error, stdout) => resolve(error ? "" : stdout));
  });
}
