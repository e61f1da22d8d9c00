// What the panel's page is told, and what is done when it asks for something.
import { existsSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { Uri, window } from "vscode";
import type { DatasetStore } from "../../benchmark/datasets/datasetStore.ts";
import type { FailureEntry, RunRecord } from "../../benchmark/record/entries.ts";
import type { RunStatus } from "../../benchmark/record/resume.ts";
import { deleteRun, startOfRun } from "../../benchmark/record/runs.ts";
import { recommend } from "../../benchmark/report/recommend.ts";
import { describeState } from "../../benchmark/report/state.ts";
import { type RunSummary, summarize } from "../../benchmark/report/summary.ts";
import type { Estimate } from "../../benchmark/run/estimate.ts";
import type { RunPlan } from "../../benchmark/run/plan.ts";
import { type Disposable, DisposableStore } from "../../common/dispose.ts";
import { AppError, isCancelled, isErrorCode, sentence, toAppError } from "../../common/errors.ts";
import { formatStart } from "../../panel/phrases.ts";
import type { FromPage, RunDraft, Tab } from "../../panel/protocol.ts";
import { emptyView, type RunView } from "../../panel/runView.ts";
import { viewOf } from "../../panel/summaryView.ts";
import { advice } from "../notifications.ts";
import type { SettingsStore } from "../settingsStore.ts";
import type { CodePlace } from "./codePlace.ts";
import type { BenchmarkController, EndedRun } from "./controller.ts";
import { type PlanSources, planOf } from "./draftPlan.ts";
import { exportRun } from "./exportRun.ts";
import { offeredShapes, offerModels, offerSuites } from "./offers.ts";
import type { PanelWindow } from "./panelWindow.ts";

export interface HostParts {
  readonly controller: BenchmarkController;
  readonly panel: PanelWindow;
  readonly code: CodePlace;
  readonly settings: SettingsStore;
  readonly datasets: DatasetStore;
  readonly starterPath: string;
  readonly planSources: () => PlanSources;
  readonly estimate: (plan: RunPlan) => Promise<Estimate>;
}

interface SummedUp {
  readonly record: RunRecord;
  readonly summary: RunSummary;
}

/** A summary of a long record takes a while: it is made again when at most so much of the time goes into it. */
const refreshMs = 1000;
const refreshShare = 0.05;

export class PanelHost implements Disposable {
  readonly #parts: HostParts;
  readonly #owned = new DisposableStore();
  readonly #browsed: string[] = [];
  #shownId: string | null = null;
  #summedUp: SummedUp | null = null;
  #refreshTimer: NodeJS.Timeout | undefined;
  #lastCostMs = 0;
  #tab: Tab | null = null;

  constructor(parts: HostParts) {
    this.#parts = parts;
    const { controller, panel, settings } = parts;
    for (const subscription of [
      panel.onMessage((message) => void this.#answer(message)),
      controller.onDidChange(() => panel.post({ type: "live", run: controller.live })),
      controller.onDidRecord(() => this.#refreshSoon()),
      controller.onDidEnd((ended) => void this.#onEnd(ended)),
      settings.onDidChange(() => void this.#sendChoices()),
    ]) {
      this.#owned.add(subscription);
    }
  }

  open(tab: Tab): void {
    const { panel } = this.#parts;
    // A page that is there is told at once, a new one when it says hello.
    if (panel.isListening) panel.post({ type: "show", tab });
    else this.#tab = tab;
    panel.reveal();
  }

  dispose(): void {
    clearTimeout(this.#refreshTimer);
    this.#owned.dispose();
  }

  /** Failures are shown where the user asked. */
  async #answer(message: FromPage): Promise<void> {
    try {
      await this.#handle(message);
    } catch (thrown) {
      if (!isCancelled(thrown)) this.#tellError(toAppError(thrown));
    }
  }

  async #handle(message: FromPage): Promise<void> {
    const { controller, code, panel } = this.#parts;
    switch (message.type) {
      case "hello":
        return this.#greet(message.runId);
      case "browseModel":
        return this.#browse();
      case "estimate":
        return this.#estimate(message.draftId, message.draft);
      case "start":
        return this.#start(message.draft);
      case "pause":
        return controller.pause();
      case "continue":
        return controller.continue();
      case "cancel":
        return controller.cancel();
      case "resume":
        await code.remember(message.consent);
        await controller.resume(message.runId, message.consent);
        return this.#show(message.runId);
      case "open":
        await this.#show(message.runId);
        return panel.post({ type: "show", tab: "results" });
      case "compare": {
        panel.post({ type: "comparison", view: await this.#view(message.runId) });
        return panel.post({ type: "show", tab: "results" });
      }
      case "delete":
        return this.#delete(message.runId);
      case "recommend":
        return this.#recommend(message.runId, message.budgetMs);
      case "use":
        return this.#use(message.runId, message.subject);
      case "export":
        await exportRun(await controller.record(message.runId), message.format, message.figure);
        return;
      // Of the place where programs run, which listens for itself.
      case "sandboxReady":
      case "sandboxFailed":
      case "verdict":
      case "programFailed":
        return;
    }
  }

  async #greet(runId: string | null): Promise<void> {
    const { controller, panel } = this.#parts;
    panel.post({ type: "live", run: controller.live });
    if (this.#tab) panel.post({ type: "show", tab: this.#tab });
    this.#tab = null;
    await this.#sendChoices();
    const runs = await this.#sendRuns();
    const interrupted = await controller.interrupted();
    panel.post({ type: "interrupted", runId: interrupted });
    const isThere = (id: string | null | undefined) => id !== null && runs.some((run) => run.runId === id);
    const wanted = [controller.live?.runId, runId, runs[0]?.runId].find(isThere);
    if (wanted) await this.#show(wanted);
  }

  async #sendChoices(): Promise<void> {
    const { panel, settings, starterPath, datasets, code } = this.#parts;
    const { model } = settings.current;
    const models = offerModels(model === "" ? starterPath : model, starterPath, this.#browsed);
    const suites = await offerSuites(datasets);
    panel.post({ type: "choices", choices: { models, shapes: offeredShapes, suites, code: code.offer } });
  }

  async #sendRuns() {
    const { controller, panel } = this.#parts;
    const runs = await controller.runs();
    panel.post({ type: "runs", runs, unreadable: await controller.unreadable() });
    return runs;
  }

  async #browse(): Promise<void> {
    const files = await window.showOpenDialog({
      title: "Choose models to measure",
      openLabel: "Measure These Models",
      canSelectMany: true,
      defaultUri: Uri.file(this.#parts.starterPath),
      filters: { "GGUF models": ["gguf"] },
    });
    if (!files) return;
    this.#browsed.unshift(...files.filter(({ scheme }) => scheme === "file").map(({ fsPath }) => fsPath));
    await this.#sendChoices();
  }

  async #estimate(draftId: number, draft: RunDraft): Promise<void> {
    const { panel, estimate } = this.#parts;
    try {
      const { leastMs, mostMs } = await estimate(await planOf(draft, this.#parts.planSources()));
      panel.post({ type: "estimate", draftId, estimate: { leastMs, mostMs, problem: null } });
    } catch (thrown) {
      const problem = sentence(toAppError(thrown).message);
      panel.post({ type: "estimate", draftId, estimate: { leastMs: null, mostMs: null, problem } });
    }
  }

  async #start(draft: RunDraft): Promise<void> {
    const { controller, code, panel } = this.#parts;
    const plan = await planOf(draft, this.#parts.planSources());
    await code.remember(draft.consent);
    await controller.start(plan, draft.consent);
    await this.#sendRuns();
    // Nothing of the run that was shown before stands under the banner of this one.
    if (controller.live) await this.#show(controller.live.runId);
    panel.post({ type: "show", tab: "results" });
  }

  async #delete(runId: string): Promise<void> {
    const remove = "Delete";
    const question = `Delete the run of ${formatStart(startOfRun(runId))}? Its record cannot be had back; reports and bundles made of it stay.`;
    if ((await window.showWarningMessage(question, { modal: true }, remove)) !== remove) return;
    await deleteRun(runId);
    await this.#sendRuns();
  }

  async #recommend(runId: string, budgetMs: number): Promise<void> {
    const { record, summary } = await this.#summaryOf(runId);
    const { subject, reason } = recommend(record, summary, budgetMs);
    this.#parts.panel.post({ type: "recommendation", runId, subject, text: reason });
  }

  async #use(runId: string, subject: string): Promise<void> {
    const { controller, settings, starterPath, panel } = this.#parts;
    const { plan } = (await controller.record(runId)).run;
    const found = plan.subjects.find(({ id }) => id === subject);
    if (found?.kind !== "model")
      throw new AppError("request/invalid", `${subject} is no model file that could complete`);
    const { path, mode } = found.spec;
    if (!existsSync(path)) throw new AppError("model/not-found", `${path} is no longer there`);
    await settings.update("model", path === starterPath ? "" : path);
    await settings.update("mode", mode);
    panel.post({ type: "notice", kind: "info", text: `Completions now come from ${found.label}.` });
  }

  async #show(runId: string): Promise<void> {
    this.#shownId = runId;
    const start = performance.now();
    const view = await this.#view(runId);
    this.#lastCostMs = performance.now() - start;
    if (this.#shownId === runId) this.#parts.panel.post({ type: "view", view });
  }

  async #view(runId: string): Promise<RunView> {
    const { controller } = this.#parts;
    if (controller.unwritten?.runId === runId) return emptyView(controller.unwritten);
    const { record, summary } = await this.#summarize(runId);
    return viewOf(record, summary, { state: await this.#stateOf(summary), adviceOn });
  }

  /** Of the run that was summed up last, as it was then. */
  async #summaryOf(runId: string): Promise<SummedUp> {
    return this.#summedUp?.summary.runId === runId ? this.#summedUp : this.#summarize(runId);
  }

  async #summarize(runId: string): Promise<SummedUp> {
    const record = await this.#parts.controller.record(runId);
    this.#summedUp = { record, summary: summarize(record) };
    return this.#summedUp;
  }

  async #stateOf({ runId, status }: RunSummary): Promise<RunStatus> {
    if (this.#parts.controller.live?.runId === runId) return "running";
    if (status !== "unfinished") return status;
    const listed = (await this.#parts.controller.runs()).find((run) => run.runId === runId);
    return listed?.state ?? status;
  }

  #refreshSoon(): void {
    const runId = this.#parts.controller.live?.runId;
    if (this.#refreshTimer || runId === undefined || runId !== this.#shownId) return;
    const waitMs = Math.max(refreshMs, this.#lastCostMs / refreshShare);
    this.#refreshTimer = setTimeout(() => {
      this.#refreshTimer = undefined;
      if (this.#shownId === runId) void this.#show(runId).catch((thrown) => this.#tellError(toAppError(thrown)));
    }, waitMs);
  }

  async #onEnd({ runId, outcome, error }: EndedRun): Promise<void> {
    const { panel } = this.#parts;
    try {
      const runs = await this.#sendRuns();
      await this.#sendChoices();
      const isThere = runs.some((run) => run.runId === runId);
      if (this.#shownId === runId && isThere) await this.#show(runId);
    } catch (thrown) {
      this.#tellError(toAppError(thrown));
    }
    if (error && !isCancelled(error)) this.#tellError(error);
    if (!outcome || panel.isVisible) return;
    const show = "Show Results";
    const state = describeState(outcome.status, { failures: outcome.failures.length, unscored: 0 });
    const text = outcome.status === "complete" ? `the benchmark is ${state}` : "the benchmark was cancelled";
    if ((await window.showInformationMessage(`Hotpath: ${text}.`, show)) === show) this.open("results");
  }

  #tellError(error: AppError): void {
    // What the user asked for and cannot have says itself why; elsewhere such a request is a mistake of Hotpath's.
    const whatToDo = error.code === "request/invalid" ? "" : ` ${advice[error.code].whatToDo}`;
    const text = sentence(error.message) + whatToDo;
    if (this.#parts.panel.isVisible) this.#parts.panel.post({ type: "notice", kind: "error", text });
    else window.showWarningMessage(`Hotpath: ${text}`);
  }
}

function adviceOn({ code }: FailureEntry): string {
  return isErrorCode(code) ? advice[code].whatToDo : "";
}
