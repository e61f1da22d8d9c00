// One confined process: it is started, shows what holds it, runs one program, and is killed with all that belongs to it.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { cancelled } from "../common/cancellation.ts";
import { type ChildProbes, parseChildProbes } from "./child/childProbes.ts";
import { type ChildCommand, type HelperReport, parseHelperReport } from "./confinement.ts";
import {
  describeUnexpected,
  judge,
  Mailbox,
  type Place,
  type PlaceEnd,
  type PlaceMessage,
  parsePlaceMessage,
} from "./place.ts";
import { sandboxLimits, type Verdict } from "./sandbox.ts";

/** What a child showed before Python ran in it. */
export interface Handshake {
  readonly helper: HelperReport | null;
  readonly probes: ChildProbes;
  readonly interpreter: string;
  /** The same for every child that is held by the same walls. */
  readonly fingerprint: string;
}

/** Node's exit code for an option it does not know. */
const unknownOption = 9;
const startTimeoutMs = 60_000;
const clockPeriodMs = 50;
/** Processor time in /proc counts in hundredths of a second, on every Linux. */
const msPerTick = 10;

export class ConfinedChild implements Place {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #hasHelper: boolean;
  readonly #expected: string | null;
  readonly #mailbox = new Mailbox<PlaceMessage<ChildProbes> | PlaceEnd>();
  readonly #firstLineOfStderr: Promise<string>;
  #stdout = "";
  #stderr = "";
  #receivedBytes = 0;
  #pid = 0;
  #isProbed = false;
  isAlive = true;

  /** `expectedFingerprint`: of the child whose walls were judged; none for that child itself. */
  constructor({ command, args, hasHelper }: ChildCommand, expectedFingerprint: string | null = null) {
    this.#hasHelper = hasHelper;
    this.#expected = expectedFingerprint;
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
    this.#process.on("error", (error) => this.#end("crashed", error.message));
    this.#process.on("close", (code, signal) => {
      const how = `the interpreter's process ended with ${signal ?? `status ${code}`}: ${lastLine(this.#stderr)}`;
      if (code === 0) this.#end("failed", "left before its end");
      else this.#end(/out of memory|allocation failed/i.test(how) ? "memory" : "crashed", how);
    });
  }

  /** What holds the child; null when Node does not know the permission flag. Rejects when it says nothing usable. */
  async probed(): Promise<Handshake | null> {
    const message = await this.#receiveWithin(startTimeoutMs);
    if (this.#process.exitCode === unknownOption) return null;
    if (message.type !== "probed") throw new Error(describeUnexpected(message));
    const report = this.#hasHelper ? await this.#firstLineOfStderr : "";
    const helper = parseHelperReport(report);
    if (this.#hasHelper && !helper) throw new Error(`the helper's report cannot be read: "${report}"`);
    this.#pid = helper ? helper.pid : (this.#process.pid ?? 0);
    this.#isProbed = true;
    const { probes, interpreter } = message;
    const fingerprint = JSON.stringify([helper && { ...helper, pid: 0 }, probes]);
    return { helper, probes, interpreter, fingerprint };
  }

  async ready(): Promise<void> {
    if (!this.#isProbed) {
      const handshake = await this.probed();
      if (handshake?.fingerprint !== this.#expected) {
        throw new Error("a child is held by other walls than the first one was");
      }
    }
    const message = await this.#receiveWithin(startTimeoutMs);
    if (message.type !== "ready") throw new Error(describeUnexpected(message));
  }

  async run(source: string, signal: AbortSignal | undefined): Promise<Verdict> {
    const nonce = crypto.randomUUID();
    const start = performance.now();
    const clock = this.#startClock();
    const onAbort = () => this.kill();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      this.#process.stdin.write(`${JSON.stringify({ source, nonce })}\n`);
      const answer = await this.#mailbox.receive();
      if (signal?.aborted) throw cancelled();
      return { ...judge(answer, nonce), wallMs: performance.now() - start };
    } finally {
      clearInterval(clock);
      signal?.removeEventListener("abort", onAbort);
      this.kill();
    }
  }

  kill(): void {
    const { pid } = this.#process;
    if (!this.isAlive || pid === undefined) return;
    try {
      if (process.platform === "win32") this.#process.kill("SIGKILL");
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Gone in this moment.
    }
  }

  /** Where the processor's time cannot be seen, the time on the wall is the only limit. */
  #startClock(): NodeJS.Timeout {
    const start = performance.now();
    const cpuAtStart = cpuMsOf(this.#pid);
    return setInterval(() => {
      const cpu = cpuMsOf(this.#pid);
      const usedCpuMs = cpu === null || cpuAtStart === null ? 0 : cpu - cpuAtStart;
      if (usedCpuMs > sandboxLimits.cpuMs) {
        this.#stop("timeout", `more than ${sandboxLimits.cpuMs / 1000} s of processor time`);
      } else if (performance.now() - start > sandboxLimits.wallMs) {
        this.#stop("timeout", `more than ${sandboxLimits.wallMs / 1000} s`);
      }
    }, clockPeriodMs);
  }

  #read(text: string): void {
    this.#stdout += text;
    this.#count(text);
    for (let end = this.#stdout.indexOf("\n"); end >= 0; end = this.#stdout.indexOf("\n")) {
      const message = parseLine(this.#stdout.slice(0, end));
      this.#stdout = this.#stdout.slice(end + 1);
      if (message) this.#mailbox.deliver(message);
      else this.#stop("crashed", "the interpreter's process sent what it never sends");
    }
  }

  #count(text: string): void {
    this.#receivedBytes += text.length;
    if (this.#receivedBytes > sandboxLimits.outputBytes)
      this.#stop("crashed", "the interpreter's process flooded its pipes");
  }

  #stop(outcome: Verdict["outcome"], how: string): void {
    this.kill();
    this.#end(outcome, how);
  }

  /** Whoever asks first gets the first reason. */
  #end(outcome: Verdict["outcome"], how: string): void {
    this.isAlive = false;
    this.#mailbox.deliver({ type: "gone", outcome, how });
  }

  #receiveWithin(timeoutMs: number): Promise<PlaceMessage<ChildProbes> | PlaceEnd> {
    return this.#mailbox.receiveWithin(timeoutMs, () => {
      this.kill();
      return { type: "gone", outcome: "crashed", how: `nothing came for ${timeoutMs / 1000} s` };
    });
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

/** Processor time a process has used, of all its threads; null where it cannot be seen. */
function cpuMsOf(pid: number): number | null {
  if (process.platform !== "linux" || pid === 0) return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the name, which may hold anything: state is field 3 of proc(5), user and system time are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  } catch {
    return null; // Ended in this moment.
  }
}
