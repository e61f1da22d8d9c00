// The confined child: tries its own walls, starts Python from the snapshot, runs one program, ends.
//   node sandboxChild.mjs FOLDER UNLISTED_FILE MEMORY_PAGES
import { constants, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { interpreterName, runProgram, startInterpreter } from "../interpreter.ts";
import { lockDown } from "../lockdown.ts";
import { ended, type PlaceMessage, type RunRequest } from "../place.ts";
import type { ChildProbes } from "./childProbes.ts";
import { probe } from "./probe.ts";

const [folder = "", unlistedFile = "", memoryPages = ""] = process.argv.slice(2);

// Taken before Python starts; nothing of ours looks for them again.
const { stringify } = JSON;
const bytesOf = Buffer.from.bind(Buffer) as (text: string) => Buffer;

/** Written at once: the next statement may be the last. Stdout is a pipe that does not wait for its reader. */
function send(message: PlaceMessage<ChildProbes>): void {
  const bytes = bytesOf(`${stringify(message)}\n`);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

function nextRequest(): Promise<RunRequest> {
  return new Promise((resolve) => {
    let text = "";
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (piece) => {
      text += piece;
      if (text.endsWith("\n")) resolve(JSON.parse(text) as RunRequest);
    });
    // Nobody is left who could want something.
    process.stdin.on("end", () => process.exit(0));
  });
}

async function main(): Promise<void> {
  const request = nextRequest();
  const lockFileContents = readFileSync(path.join(folder, "pyodide-lock.json"), "utf8");
  const probes = await probe(unlistedFile, Number(memoryPages));
  send({ type: "probed", interpreter: interpreterName(lockFileContents), probes });
  // Emscripten asks Node's own bindings for these constants, which the permission flag refuses.
  Object.assign(process, { binding: () => ({ fs: constants }) });
  const python = await startInterpreter({
    indexURL: folder + path.sep,
    lockFileContents,
    snapshot: readFileSync(path.join(folder, "snapshot.bin")),
  });
  lockDown(python);
  send({ type: "ready" });
  const { source, nonce } = await request;
  send(ended(nonce, runProgram(python, source)));
  process.exit(0);
}

main().catch((error: Error) => {
  send({ type: "unable", reason: `${error.name}: ${error.message}`.slice(0, 500) });
  process.exit(1);
});
