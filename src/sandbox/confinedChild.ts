// One confined process: it is started, shows what holds it, runs one program, and is killed with all that belongs to it.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
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

type ChildMessage = PlaceMessage<ChildProbes> | PlaceEnd;

export class ConfinedChild implements Place {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #hasHelper: boolean;
  readonly #expected: string | null;
  readonly #mailbox = new Mailbox<ChildMessage>();
  readonly #firstLineOfStderr: Promise<string>;
  #stdout = "";
  #stderr = "";
  #receivedBytes = 0;
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
    const message = await this.#receiveWithin(startTimeoutMs, "crashed", "nothing came");
    if (this.#process.exitCode === unknownOption) return null;
    if (message.type !== "probed") throw new Error(describeUnexpected(message));
    const report = this.#hasHelper ? await this.#firstLineOfStderr : "";
    const helper = parseHelperReport(report);
    if (this.#hasHelper && !helper) throw new Error(`the helper's report cannot be read: "${report}"`);
    this.#isProbed = true;
    const { probes, interpreter } = message;
    const fingerprint = JSON.stringify([helper, probes]);
    return { helper, probes, interpreter, fingerprint };
  }

  async ready(): Promise<void> {
    if (!this.#isProbed) {
      const handshake = await this.probed();
      if (handshake?.fingerprint !== this.#expected) {
        throw new Error("a child is held by other walls than the first one was");
      }
    }
    const message = await this.#receiveWithin(startTimeoutMs, "crashed", "Python did not start");
    if (message.type !== "ready") throw new Error(describeUnexpected(message));
  }

  async run(source: string, signal: AbortSignal | undefined): Promise<Verdict> {
    const nonce = crypto.randomUUID();
    const start = performance.now();
    const onAbort = () => this.kill();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      this.#process.stdin.write(`${JSON.stringify({ source, nonce })}\n`);
      const late = `more than ${sandboxLimits.wallMs / 1000} s`;
      const answer = await this.#receiveWithin(sandboxLimits.wallMs, "timeout", late);
      if (signal?.aborted) throw cancelled();
      return { ...judge(answer, nonce), wallMs: performance.now() - start };
    } finally {
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

  #receiveWithin(timeoutMs: number, outcome: Verdict["outcome"], how: string): Promise<ChildMessage> {
    return this.#mailbox.receiveWithin(timeoutMs, () => {
      this.kill();
      return { type: "gone", outcome, how };
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
