// The benchmark of this window: one run at a time, which goes on whether or not its panel is open.
import type { Left, RecordEntry, RunEntry, RunRecord } from "../../benchmark/record/entries.ts";
import { readRecordFile, readRecordToShow } from "../../benchmark/record/recordFile.ts";
import { nothingLeft, type RunStatus } from "../../benchmark/record/resume.ts";
import { listRuns, listUnreadable, newRunId, recordFile, runFolder } from "../../benchmark/record/runs.ts";
import { type LocalMachine, resumeRun, startRun, type Watcher } from "../../benchmark/run/localRun.ts";
import { refuseBesideOthers } from "../../benchmark/run/oneRun.ts";
import type { RunPlan } from "../../benchmark/run/plan.ts";
import type { RunProgress } from "../../benchmark/run/progress.ts";
import type { RunOutcome } from "../../benchmark/run/runner.ts";
import type { SandboxAccess } from "../../benchmark/run/scoring.ts";
import { Steering } from "../../benchmark/run/steering.ts";
import { datasetsOf } from "../../benchmark/suites/prepareSuite.ts";
import { throwIfCancelled } from "../../common/cancellation.ts";
import type { Disposable } from "../../common/dispose.ts";
import { Emitter } from "../../common/emitter.ts";
import { AppError, sentence, toAppError } from "../../common/errors.ts";
import type { Consent, LiveRun, RunListEntry, UnreadableEntry } from "../../panel/protocol.ts";

export interface ControllerParts extends Pick<LocalMachine, "engine" | "productFolder" | "datasets"> {
  /** Where programs of models run. */
  readonly sandbox: (consent: "full" | "reduced") => SandboxAccess;
  /** Keeps completions back until what it gives is disposed of. */
  readonly holdCompletions: () => Disposable;
  readonly memory: Memory;
}

/** What outlives the window, as the editor keeps it. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: string | undefined): Thenable<void>;
}

export interface EndedRun {
  readonly runId: string;
  /** null: it was refused, or nothing could be written. */
  readonly outcome: RunOutcome | null;
  readonly error: AppError | null;
}

interface BegunRun extends Pick<RunEntry, "runId" | "startedAt" | "plan"> {
  /** Not gone on with: there is no record before its first entry. */
  readonly isNew: boolean;
}

interface ActiveRun extends BegunRun {
  readonly steering: Steering;
  readonly entries: RecordEntry[];
  progress: RunProgress;
}

/** Kept while a run goes on, for each by itself: several windows share the memory. A window that closes leaves it. */
const underWayKey = (runId: string) => `benchmarkRun ${runId}`;

export class BenchmarkController implements Disposable {
  readonly #parts: ControllerParts;
  readonly #changed = new Emitter<void>();
  readonly #recorded = new Emitter<void>();
  readonly #ended = new Emitter<EndedRun>();
  #active: ActiveRun | null = null;
  /** Of completions, while a run measures that was asked to keep them back. */
  #hold: Disposable | null = null;
  #waitsFor: string | null = null;
  #isDisposed = false;

  /** Progress, pauses, start and end. */
  readonly onDidChange = this.#changed.event;
  /** The record of the run under way has grown. */
  readonly onDidRecord = this.#recorded.event;
  readonly onDidEnd = this.#ended.event;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  get live(): LiveRun | null {
    if (!this.#active) return null;
    const { progress, steering, plan } = this.#active;
    const what = this.#waitsFor ?? progress.what;
    return { ...progress, what, isPaused: steering.isPaused, completions: plan.completions };
  }

  /** The run under way, while its record is not begun. */
  get unwritten(): Pick<RunEntry, "runId" | "startedAt"> | null {
    return this.#active?.isNew && this.#active.entries.length === 0 ? this.#active : null;
  }

  /** Resolves once it has started; how it ends is told by `onDidEnd`. Rejects with `request/invalid` while another goes on. */
  async start(plan: RunPlan, consent: Consent): Promise<void> {
    const now = new Date();
    const runId = newRunId(now);
    const folder = runFolder(runId);
    const begun = { runId, startedAt: now.toISOString(), plan, isNew: true };
    this.#begin(begun, consent, (machine, watcher) => startRun({ runId, plan, folder }, machine, watcher));
  }

  /** Goes on with a run that was interrupted or cancelled, or in which something failed. */
  async resume(runId: string, consent: Consent): Promise<void> {
    const folder = runFolder(runId);
    const { startedAt, plan } = (await readRecordFile(recordFile(folder))).record.run;
    const begun = { runId, startedAt, plan, isNew: false };
    this.#begin(begun, consent, (machine, watcher) => resumeRun(folder, machine, watcher));
  }

  pause(): void {
    this.#active?.steering.pause();
    this.#holdOrRelease();
    this.#changed.fire();
  }

  continue(): void {
    this.#active?.steering.resume();
    this.#holdOrRelease();
    this.#changed.fire();
  }

  cancel(): void {
    this.#active?.steering.cancel();
  }

  /** Says what the run waits for, in place of what it does; null: it goes on. */
  waitFor(what: string | null): void {
    this.#waitsFor = what;
    this.#changed.fire();
  }

  /** The newest run, when it was cut off or its window closed, and nobody goes on with it. Older ones are in the history. */
  async interrupted(): Promise<string | null> {
    if (this.#active) return null;
    const [newest] = await listRuns();
    if (!newest) return null;
    const { runId } = newest.run;
    const wasClosed = newest.status === "cancelled" && this.#parts.memory.get(underWayKey(runId)) !== undefined;
    return newest.status === "unfinished" || wasClosed ? runId : null;
  }

  /** Newest first; with the run under way, also while its record is not begun. */
  async runs(): Promise<RunListEntry[]> {
    const listed = (await listRuns()).map(({ run, status, left }) => describeRun(run, status, left));
    if (!this.#active || listed.some(({ runId }) => runId === this.#active?.runId)) return listed;
    return [describeRun(this.#active, "running", nothingLeft), ...listed];
  }

  /** Newest first. */
  async unreadable(): Promise<UnreadableEntry[]> {
    return (await listUnreadable()).map(({ problem, ...run }) => ({ ...run, problem: sentence(problem.message) }));
  }

  /** Also of the run under way, as far as it is. */
  async record(runId: string): Promise<RunRecord> {
    const [first, ...others] = this.#active?.runId === runId ? this.#active.entries : [];
    if (first?.type === "run") return { run: first, entries: [first, ...others], isTorn: false };
    if (this.unwritten?.runId === runId)
      throw new AppError("request/invalid", "the benchmark has not begun to measure; nothing is there yet");
    return readRecordToShow(recordFile(runFolder(runId)));
  }

  /** The record stays as it is, to be gone on with. */
  dispose(): void {
    this.#isDisposed = true;
    this.cancel();
  }

  #begin(
    begun: BegunRun,
    consent: Consent,
    run: (machine: LocalMachine, watcher: Watcher) => Promise<RunOutcome>,
  ): void {
    if (this.#active)
      throw new AppError("request/invalid", "a benchmark is running; another can start when it has ended");
    refuseBesideOthers();
    const { runId, plan } = begun;
    const steering = new Steering();
    const progress: RunProgress = {
      runId,
      phase: "preparing",
      what: "Preparing",
      done: 0,
      total: 0,
      remainingMs: null,
    };
    const active: ActiveRun = { ...begun, steering, entries: [], progress };
    this.#active = active;
    const { engine, productFolder, datasets, sandbox, memory } = this.#parts;
    const access = consent === "none" ? null : sandbox(consent);
    const machine: LocalMachine = { engine, productFolder, datasets, sandbox: access };
    const watcher: Watcher = {
      control: steering,
      onProgress: (told) => this.#tell(active, told),
      onEntry: (entry) => {
        active.entries.push(entry);
        this.#recorded.fire();
      },
    };
    void memory.update(underWayKey(runId), runId);
    const outcome = this.#fetch(plan, active).then(() => run(machine, watcher));
    this.#holdOrRelease();
    void this.#finish(runId, outcome);
    this.#changed.fire();
  }

  /** While the user pauses the run, nothing is measured that completions could disturb. */
  #holdOrRelease(): void {
    const isWanted = this.#active?.plan.completions === "paused" && !this.#active.steering.isPaused;
    if (isWanted) this.#hold ??= this.#parts.holdCompletions();
    else {
      this.#hold?.dispose();
      this.#hold = null;
    }
  }

  async #finish(runId: string, running: Promise<RunOutcome>): Promise<void> {
    const ended = await running.then(
      (outcome): EndedRun => ({ runId, outcome, error: null }),
      (thrown): EndedRun => ({ runId, outcome: null, error: toAppError(thrown) }),
    );
    this.#active = null;
    this.#holdOrRelease();
    this.#waitsFor = null;
    if (!this.#isDisposed) void this.#parts.memory.update(underWayKey(runId), undefined);
    this.#changed.fire();
    this.#ended.fire(ended);
  }

  /** The user chose suites that say what they fetch. */
  async #fetch({ suites }: RunPlan, active: ActiveRun): Promise<void> {
    const { datasets } = this.#parts;
    const { signal } = active.steering;
    for (const dataset of suites.flatMap(({ id }) => datasetsOf(id))) {
      throwIfCancelled(signal);
      if (await datasets.has(dataset)) continue;
      const tell = (done: number, total: number) =>
        this.#tell(active, { ...active.progress, what: `Fetching ${dataset.title}`, done, total });
      await datasets.fetch(dataset, tell, signal);
    }
  }

  #tell(active: ActiveRun, progress: RunProgress): void {
    active.progress = progress;
    this.#changed.fire();
  }
}

function describeRun(
  { runId, startedAt, plan }: Pick<RunEntry, "runId" | "startedAt" | "plan">,
  state: RunStatus,
  left: Left,
): RunListEntry {
  const { subjects } = plan;
  const suites = plan.suites.map(({ id }) => id);
  const names = subjects.slice(0, 4).map(({ label }) => label);
  const more = subjects.length > names.length ? ` and ${subjects.length - names.length} more` : "";
  const what = `${names.join(", ")}${more}: ${suites.join(", ")}`;
  return { runId, startedAt, state, left, suites, what };
}
