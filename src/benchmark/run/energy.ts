// Energy of the processor packages, where the operating system counts it (Linux, powercap).
import { access, readdir, readFile } from "node:fs/promises";
import path from "node:path";

export interface EnergyMeter {
  /** Joules since some moment; only differences mean something. */
  read(): Promise<number>;
}

const powercap = "/sys/class/powercap";

/** null: there is no such counter, or only the administrator may read it, as Linux has it since 2020. */
export async function openEnergyMeter(folder = powercap): Promise<EnergyMeter | null> {
  const names = await readdir(folder).catch(() => []); // Nothing of the kind here.
  // "intel-rapl:0" is a package, "intel-rapl:0:1" a part of it; AMD's counters have Intel's name.
  const packages = names.filter((name) => /^intel-rapl:\d+$/.test(name)).map((name) => path.join(folder, name));
  const counters = await Promise.all(packages.map(openCounter)).catch(() => []);
  if (counters.length === 0) return null;
  return {
    async read() {
      const joules = await Promise.all(counters.map((counter) => counter()));
      return joules.reduce((sum, each) => sum + each, 0);
    },
  };
}

async function openCounter(folder: string): Promise<() => Promise<number>> {
  const file = path.join(folder, "energy_uj");
  await access(file);
  const range = Number(await readFile(path.join(folder, "max_energy_range_uj"), "utf8"));
  let [last, turned] = [0, 0];
  return async () => {
    const now = Number(await readFile(file, "utf8"));
    if (now < last) turned += range;
    last = now;
    return (now + turned) / 1e6;
  };
}
