// One confined process: it is started, shows what holds it, runs one program, and is killed with all that belongs to it.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { cancelled } from "../common/cancellation.ts";
import type { ChildMessage, ChildProbes } from "./child/messages.ts";
import { parseChildLine } from "./childLines.ts";
import { type ChildCommand, type HelperReport, parseHelperReport } from "./confinement.ts";
import { sandboxLimits, type Verdict } from "./sandbox.ts";

/** What a child showed before Python ran in it. */
export interface Handshake {
  readonly helper: HelperReport | null;
  readonly probes: ChildProbes;
  readonly interpreter: string;
}

/** The end of a child that sends nothing more, or of one that is not listened to any longer. */
interface ChildEnd {
  readonly type: "gone" | "nonsense";
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its last line on stderr. */
  readonly lastWords: string;
}

/** Node's exit code for an option it does not know. */
const unknownOption = 9;
const startTimeoutMs = 60_000;
const clockPeriodMs = 50;
/** Processor time in /proc counts in hundredths of a second, on every Linux. */
const msPerTick = 10;

export class ConfinedChild {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #hasHelper: boolean;
  readonly #messages: (ChildMessage | ChildEnd)[] = [];
  #waiting: ((message: ChildMessage | ChildEnd) => void) | null = null;
  readonly #firstLineOfStderr: Promise<string>;
  #stdout = "";
  #stderr = "";
  #receivedBytes = 0;
  #isGone = false;
  #pid = 0;

  constructor({ command, args, hasHelper }: ChildCommand) {
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
    this.#process.on("error", (error) =>
      this.#deliver({ type: "gone", code: null, signal: null, lastWords: error.message }),
    );
    this.#process.on("close", (code, signal) => {
      this.#isGone = true;
      this.#deliver({ type: "gone", code, signal, lastWords: lastLine(this.#stderr) });
    });
  }

  /** What holds the child; null when Node does not know the permission flag. Rejects when it says nothing usable. */
  async probed(): Promise<Handshake | null> {
    const message = await this.#receiveWithin(startTimeoutMs);
    if (message.type === "gone" && message.code === unknownOption) return null;
    if (message.type !== "probed") throw new Error(describe(message));
    const report = this.#hasHelper ? await this.#firstLineOfStderr : "";
    const helper = parseHelperReport(report);
    if (this.#hasHelper && !helper) throw new Error(`the helper's report cannot be read: "${report}"`);
    this.#pid = helper ? helper.pid : (this.#process.pid ?? 0);
    return { helper, probes: message.probes, interpreter: message.interpreter };
  }

  /** Python waits for its program. */
  async ready(): Promise<void> {
    const message = await this.#receiveWithin(startTimeoutMs);
    if (message.type !== "ready") throw new Error(describe(message));
  }

  /** Runs the program and kills the child. Rejects with `request/cancelled` only. */
  async run(source: string, signal: AbortSignal | undefined): Promise<Verdict> {
    const nonce = randomBytes(16).toString("hex");
    const start = performance.now();
    let brokenLimit: string | null = null;
    const clock = this.#startClock((limit) => {
      brokenLimit = limit;
      this.kill();
    });
    const onAbort = () => this.kill();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      this.#process.stdin.write(`${JSON.stringify({ source, nonce })}\n`);
      const message = await this.#receive();
      if (signal?.aborted) throw cancelled();
      const wallMs = performance.now() - start;
      if (brokenLimit !== null) return { outcome: "timeout", message: brokenLimit, wallMs };
      return { ...judge(message, nonce), wallMs };
    } finally {
      clearInterval(clock);
      signal?.removeEventListener("abort", onAbort);
      this.kill();
    }
  }

  get isAlive(): boolean {
    return !this.#isGone;
  }

  kill(): void {
    const { pid } = this.#process;
    if (this.#isGone || pid === undefined) return;
    try {
      if (process.platform === "win32") this.#process.kill("SIGKILL");
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Gone in this moment.
    }
  }

  /** Where the processor's time cannot be seen, the time on the wall is the only limit. */
  #startClock(stop: (brokenLimit: string) => void): NodeJS.Timeout {
    const start = performance.now();
    const cpuAtStart = cpuMsOf(this.#pid);
    return setInterval(() => {
      const cpu = cpuMsOf(this.#pid);
      const usedCpuMs = cpu === null || cpuAtStart === null ? 0 : cpu - cpuAtStart;
      if (usedCpuMs > sandboxLimits.cpuMs) stop(`more than ${sandboxLimits.cpuMs / 1000} s of processor time`);
      else if (performance.now() - start > sandboxLimits.wallMs) stop(`more than ${sandboxLimits.wallMs / 1000} s`);
    }, clockPeriodMs);
  }

  #read(text: string): void {
    this.#stdout += text;
    this.#count(text);
    for (let end = this.#stdout.indexOf("\n"); end >= 0; end = this.#stdout.indexOf("\n")) {
      const message = parseChildLine(this.#stdout.slice(0, end));
      this.#stdout = this.#stdout.slice(end + 1);
      if (message) this.#deliver(message);
      else this.#distrust("it sent what it never sends");
    }
  }

  #count(text: string): void {
    this.#receivedBytes += text.length;
    if (this.#receivedBytes > sandboxLimits.outputBytes) this.#distrust("it flooded its pipes");
  }

  #distrust(lastWords: string): void {
    this.kill();
    this.#deliver({ type: "nonsense", code: null, signal: null, lastWords });
  }

  #deliver(message: ChildMessage | ChildEnd): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) waiting(message);
    else this.#messages.push(message);
  }

  #receive(): Promise<ChildMessage | ChildEnd> {
    const next = this.#messages.shift();
    if (next) return Promise.resolve(next);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  async #receiveWithin(timeoutMs: number): Promise<ChildMessage | ChildEnd> {
    const timer = setTimeout(() => this.#distrust(`nothing came for ${timeoutMs / 1000} s`), timeoutMs);
    try {
      return await this.#receive();
    } finally {
      clearTimeout(timer);
    }
  }
}

function judge(message: ChildMessage | ChildEnd, nonce: string): Omit<Verdict, "wallMs"> {
  // The nonce is known to the child's own code only, which says it after the program's last line.
  if (message.type === "ended" && message.nonce === nonce)
    return { outcome: message.outcome, message: message.message };
  if (message.type === "gone" && message.code === 0) return { outcome: "failed", message: "left before its end" };
  if (message.type === "gone" && /out of memory|Array buffer allocation failed/i.test(message.lastWords)) {
    return { outcome: "memory", message: message.lastWords };
  }
  return { outcome: "crashed", message: describe(message).slice(0, 500) };
}

function describe(message: ChildMessage | ChildEnd): string {
  switch (message.type) {
    case "gone":
      return `the interpreter's process ended with ${message.signal ?? `status ${message.code}`}: ${message.lastWords}`;
    case "nonsense":
      return `the interpreter's process was stopped: ${message.lastWords}`;
    case "unable":
      return `Python does not start: ${message.reason}`;
    default:
      return `the interpreter's process sent "${message.type}" out of turn`;
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
