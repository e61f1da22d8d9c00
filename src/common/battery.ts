// Whether the machine runs on battery. VS Code's own answer is a proposed API that a published extension may not use.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

const supplies = "/sys/class/power_supply";

export async function isOnBattery(platform = process.platform, folder = supplies): Promise<boolean> {
  if (platform === "linux") return areSuppliesDischarging(folder);
  if (platform === "darwin") return isDischarging(await printed("pmset", ["-g", "batt"]));
  if (platform === "win32")
    return isDischarging(await printed("powershell", ["-NoProfile", "-Command", windowsQuestion]));
  return false;
}

const windowsQuestion =
  "Add-Type -AssemblyName System.Windows.Forms; " +
  "if ([Windows.Forms.SystemInformation]::PowerStatus.PowerLineStatus -eq 'Offline') { 'Battery Power' }";

/** pmset names the source it draws from; our question to Windows answers in the same words. */
export function isDischarging(text: string): boolean {
  return text.includes("Battery Power");
}

/** A battery that discharges, and no mains that is plugged in: batteries of mice and keyboards discharge all the time. */
async function areSuppliesDischarging(folder: string): Promise<boolean> {
  const read = (name: string, file: string) =>
    readFile(path.join(folder, name, file), "utf8").then(
      (text) => text.trim(),
      () => "", // Not every supply has every file.
    );
  const names = await readdir(folder).catch(() => []); // A machine without the folder has no battery.
  const facts = await Promise.all(
    names.map(async (name) => ({
      type: await read(name, "type"),
      scope: await read(name, "scope"),
      status: await read(name, "status"),
      online: await read(name, "online"),
    })),
  );
  if (facts.some(({ type, online }) => type !== "Battery" && online === "1")) return false;
  return facts.some(({ type, scope, status }) => type === "Battery" && scope !== "Device" && status === "Discharging");
}

function printed(command: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    // Whoever cannot answer is taken for mains.
    execFile(command, args, { windowsHide: true, timeout: 10_000 }, (error, stdout) => resolve(error ? "" : stdout));
  });
}
