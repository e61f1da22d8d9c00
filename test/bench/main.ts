import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Bench, type BenchContext, type Result, tableRow } from "./bench.ts";
import { memory, prefixReuse, recovery } from "./completionLatency.ts";
import { engineSpeed } from "./engineSpeed.ts";
import { extensionHost } from "./extensionHost.ts";
import { measuringOverhead } from "./measuringOverhead.ts";
import { openRecord } from "./openRecord.ts";
import { protocolOverhead } from "./protocolOverhead.ts";
import { sparse } from "./sparse.ts";

const benches: Record<string, Bench> = {
  engineSpeed,
  protocolOverhead,
  measuringOverhead,
  openRecord,
  prefixReuse,
  recovery,
  memory,
  extensionHost,
};
/** Run only when named: they take three quarters of an hour. */
const longBenches: Record<string, Bench> = { sparse };

/** `wanted`: names, each with "=TEXT" after it for the cases of that name only. */
async function main(given: Omit<BenchContext, "starter" | "cases">, wanted: readonly string[]): Promise<void> {
  const starter = path.join(given.root, "media", "starter", "starter-nano-q8_0.gguf");
  const choices = new Map(
    wanted.map((choice) => {
      const [name = "", cases = ""] = choice.split("=");
      return [name, cases] as const;
    }),
  );
  const results: Result[] = [];
  for (const [name, bench] of Object.entries({ ...benches, ...longBenches })) {
    if (choices.size > 0 ? !choices.has(name) : name in longBenches) continue;
    process.stderr.write(`measuring ${name} ...\n`);
    results.push(...(await bench({ ...given, starter, cases: choices.get(name) ?? "" })));
  }
  const machine = `${os.cpus()[0]?.model ?? "?"}, ${os.availableParallelism()} cores, ${(os.totalmem() / 1e9).toFixed(0)} GB`;
  const file = path.join(given.root, "test", "results", "bench.json");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ machine, date: new Date().toISOString(), results }, null, 2));
  print(machine, results);
  if (results.some((result) => result.isMet === false)) process.exitCode = 1;
}

function print(machine: string, results: readonly Result[]): void {
  console.log(`\n${machine}\n`);
  console.log("| what | measured | target | how |\n|---|---|---|---|");
  for (const result of results) console.log(tableRow(result));
}

const [context = "", ...wanted] = process.argv.slice(2);
void main(JSON.parse(context), wanted);
