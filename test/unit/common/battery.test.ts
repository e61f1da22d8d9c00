import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isOnBattery, powerSource, sourceIn } from "../../../src/common/battery.ts";
import { temporaryFolder } from "../../support/temporaryFolder.ts";

/** The folder in which Linux describes these supplies. */
function supplies(described: Record<string, Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, files] of Object.entries(described)) {
    mkdirSync(path.join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, name, file), `${text}\n`);
  }
  return folder;
}

const battery = { type: "Battery", status: "Discharging" };

describe("the source of power", () => {
  it.each([
    ["a laptop on its battery", { BAT0: battery, AC: { type: "Mains", online: "0" } }, "battery"],
    ["a laptop on mains", { BAT0: { type: "Battery", status: "Charging" }, AC: { type: "Mains", online: "1" } }, "ac"],
    ["a weak charger that does not keep up", { BAT0: battery, AC: { type: "USB", online: "1" } }, "ac"],
    ["a desktop with a wireless mouse", { mouse: { ...battery, scope: "Device" } }, null],
    ["a laptop whose charger is not described", { BAT0: { type: "Battery", status: "Full" } }, "ac"],
    ["a machine without a battery", {}, null],
  ])("reads %s on Linux", async (_, described, expected) => {
    const folder = supplies(described);
    expect(await powerSource("linux", folder)).toBe(expected);
    expect(await isOnBattery("linux", folder)).toBe(expected === "battery");
  });

  it("is unknown where the system does not tell", async () => {
    expect(await powerSource("freebsd", "nowhere")).toBeNull();
    expect(await powerSource("linux", path.join(temporaryFolder(), "missing"))).toBeNull();
  });
});

describe("sourceIn", () => {
  it.each([
    ["Now drawing from 'Battery Power'\n -InternalBattery-0\t84%; discharging", "battery"],
    ["Now drawing from 'AC Power'\n -InternalBattery-0\t100%; charged", "ac"],
    ["", null],
  ])("reads %j", (text, expected) => {
    expect(sourceIn(text)).toBe(expected);
  });
});
