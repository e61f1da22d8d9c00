// One confined process: it is started, shows what holds it, runs one program, and is killed with all that belongs to it.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import path from "node:path";
import { type ChildProbes, parseChildProbes } from "./child/childProbes.ts";
import { type ChildCommand, type HelperReport, parseHelperReport } from "./confinement.ts";
import { OneProgramPlace, type Shown } from "./oneProgramPlace.ts";
import { type PlaceMessage, parsePlaceMessage, type RunRequest } from "./place.ts";
import { sandboxLimits } from "./sandbox.ts";

export interface Handshake extends Shown<ChildProbes> {
  /** Null without one. */
  readonly helper: HelperReport | null;
}

/** Node's exit code for an option it does not know. */
const unknownOption = 9;
const startTimeoutMs = 60_000;

export class ConfinedChild extends OneProgramPlace<ChildProbes> {
  protected override readonly name = "the interpreter's process";
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #hasHelper: boolean;
  readonly #firstLineOfStderr: Promise<string>;
  #stdout = "";
  #stderr = "";
  #receivedBytes = 0;

  /** `expectedFingerprint`: of the child whose walls were judged; null for that child itself. */
  constructor({ command, args, hasHelper }: ChildCommand, expectedFingerprint: string | null) {
    super({ startTimeoutMs, expectedFingerprint });
    this.#hasHelper = hasHelper;
    this.#process = spawn(command, args, {
      cwd: path.parse(process.execPath).root,
      env: {},
      // Leads a group of its own, which is killed as one.
      detached: process.platform !== "win32",
      stdio: "pipe",
    });
    const { stdin, stdout, stderr } = this.#process;
    stdin.on("error", () => {}); // The reader ended; "close" tells how.
    stdout.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    // Written long before the first message on stdout, yet perhaps read after it.
    this.#firstLineOfStderr = new Promise((resolve) => {
      stderr.setEncoding("utf8").on("data", (text: string) => {
        this.#stderr += text;
        this.#count(text);
        if (this.#stderr.includes("\n")) resolve(this.#stderr.slice(0, this.#stderr.indexOf("\n")));
      });
      stderr.on("close", () => resolve(this.#stderr));
    });
    this.#process.on("error", (error) => this.ended("crashed", error.message));
    this.#process.on("close", (code, signal) => {
      const how = `${this.name} ended with ${signal ?? `status ${code}`}: ${lastLine(this.#stderr)}`;
      if (code === 0) this.ended("failed", "left before its end");
      else this.ended(/out of memory|allocation failed/i.test(how) ? "memory" : "crashed", how);
    });
  }

  /** Whether it ended because Node does not know an option of the command. */
  get refusedOption(): boolean {
    return this.#process.exitCode === unknownOption;
  }

  override async probed(): Promise<Handshake> {
    const { probes, interpreter } = await super.probed();
    const report = this.#hasHelper ? await this.#firstLineOfStderr : "";
    const helper = parseHelperReport(report);
    if (this.#hasHelper && !helper) throw new Error(`the helper's report cannot be read: "${report}"`);
    return { helper, probes, interpreter, fingerprint: JSON.stringify([helper, probes]) };
  }

  protected override send(request: RunRequest): void {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
  }

  protected override terminate(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#process.kill("SIGKILL");
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Gone in this moment.
    }
  }

  #read(text: string): void {
    this.#stdout += text;
    this.#count(text);
    for (let end = this.#stdout.indexOf("\n"); end >= 0; end = this.#stdout.indexOf("\n")) {
      const line = this.#stdout.slice(0, end);
      this.#stdout = this.#stdout.slice(end + 1);
      this.deliver(parseLine(line));
    }
  }

  #count(text: string): void {
    this.#receivedBytes += text.length;
    if (this.#receivedBytes > sandboxLimits.outputBytes) this.stop("crashed", `${this.name} flooded its pipes`);
  }
}

function parseLine(line: string): PlaceMessage<ChildProbes> | null {
  try {
    return parsePlaceMessage(JSON.parse(line), parseChildProbes);
  } catch {
    return null; // No JSON.
  }
}

function lastLine(text: string): string {
  const end = text.trimEnd();
  return end.slice(end.lastIndexOf("\n") + 1);
}
