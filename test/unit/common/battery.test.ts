import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isDischarging, isOnBattery } from "../../../src/common/battery.ts";
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

describe("isOnBattery", () => {
  it.each([
    ["a laptop on its battery", { BAT0: battery, AC: { type: "Mains", online: "0" } }, true],
    ["a laptop on mains", { BAT0: { type: "Battery", status: "Charging" }, AC: { type: "Mains", online: "1" } }, false],
    ["a weak charger that does not keep up", { BAT0: battery, AC: { type: "USB", online: "1" } }, false],
    ["a desktop with a wireless mouse", { mouse: { ...battery, scope: "Device" } }, false],
    ["a machine without a battery", {}, false],
  ])("reads %s on Linux", async (_, described, expected) => {
    expect(await isOnBattery("linux", supplies(described))).toBe(expected);
  });

  it("takes a system without the folder for mains", async () => {
    expect(await isOnBattery("linux", path.join(temporaryFolder(), "missing"))).toBe(false);
  });
});

describe("isDischarging", () => {
  it.each([
    ["Now drawing from 'Battery Power'\n -InternalBattery-0\t84%; discharging", true],
    ["Now drawing from 'AC Power'\n -InternalBattery-0\t100%; charged", false],
    ["", false],
  ])("reads %j", (text, expected) => {
    expect(isDischarging(text)).toBe(expected);
  });
});
