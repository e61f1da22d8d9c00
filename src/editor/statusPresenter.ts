// Keeps the status bar true: listens to every part whose state shows in it.
import { basename } from "node:path";
import { window, workspace } from "vscode";
import { type Disposable, DisposableStore } from "../common/dispose.ts";
import type { Event } from "../common/emitter.ts";
import type { DocumentSkip } from "../completion/trigger.ts";
import type { Engine } from "../engine/engine.ts";
import type { LiveRun } from "../panel/protocol.ts";
import type { Activity } from "./activity.ts";
import { reasonSentences } from "./completionHistory.ts";
import type { DocumentGate } from "./documentGate.ts";
import type { MenuState } from "./menuItems.ts";
import type { ModelSession } from "./modelSession.ts";
import { formatPercent } from "./phrases.ts";
import { isLanguageEnabled } from "./settings.ts";
import type { SettingsStore } from "./settingsStore.ts";
import type { Snooze } from "./snooze.ts";
import { deriveStatus, readyModel } from "./status.ts";
import type { StatusBar } from "./statusBar.ts";
import { renderStatus, type StatusFacts } from "./statusView.ts";

export interface StatusSources {
  readonly engine: Engine;
  readonly settings: SettingsStore;
  readonly snooze: Snooze;
  readonly session: ModelSession;
  readonly activity: Activity;
  readonly gate: DocumentGate;
  readonly benchmark: RunningBenchmark;
}

/** The benchmark of this window, as far as its state shows. */
export interface RunningBenchmark {
  readonly live: LiveRun | null;
  readonly onDidChange: Event<void>;
}

export class StatusPresenter implements Disposable {
  readonly #sources: StatusSources;
  readonly #bar: StatusBar;
  readonly #subscriptions = new DisposableStore();
  #lastEngineEnd: StatusFacts["lastEngineEnd"] = null;
  #documentSkip: string | null = null;

  constructor(sources: StatusSources, bar: StatusBar) {
    this.#sources = sources;
    this.#bar = bar;
    const { engine, settings, snooze, activity, benchmark } = sources;
    const refresh = () => this.#refresh();
    const refreshDocument = () => void this.#refreshDocument();
    const subscriptions = [
      engine.onDidChangeState((state) => {
        if (state.kind === "failed") this.#lastEngineEnd = { atMs: Date.now(), message: state.error.message };
        refresh();
      }),
      settings.onDidChange(refreshDocument),
      snooze.onDidChange(refresh),
      activity.onDidChange(refresh),
      benchmark.onDidChange(refresh),
      window.onDidChangeActiveTextEditor(refreshDocument),
      // Also told when an open document gets another language.
      workspace.onDidOpenTextDocument(refreshDocument),
      workspace.onDidSaveTextDocument(refreshDocument),
    ];
    for (const subscription of subscriptions) this.#subscriptions.add(subscription);
    refresh();
    refreshDocument();
  }

  get menuState(): MenuState {
    const { settings, snooze, session, benchmark } = this.#sources;
    const language = activeLanguage(settings);
    const { live } = benchmark;
    return {
      isEnabled: settings.current.enabled,
      language,
      snoozedUntil: snooze.until,
      modelName: basename(session.spec.path),
      isStarter: settings.current.model === "",
      benchmark: live && { description: `${formatPercent(fractionOf(live))}, ${live.isPaused ? "paused" : live.what}` },
    };
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }

  /** Whether the active document may be completed is known a moment later: ignore files are read for it. */
  async #refreshDocument(): Promise<void> {
    this.#refresh();
    const document = window.activeTextEditor?.document;
    const skip = document ? await this.#sources.gate.skipReason(document, 0, "automatic") : null;
    if (document !== window.activeTextEditor?.document) return;
    this.#documentSkip = skip && hasOwnReason(skip) ? reasonSentences[skip] : null;
    this.#refresh();
  }

  #refresh(): void {
    const { engine, settings, snooze, session, activity, benchmark } = this.#sources;
    const { live } = benchmark;
    const language = activeLanguage(settings);
    const status = deriveStatus({
      isEnabled: settings.current.enabled,
      snoozedUntil: snooze.until,
      disabledLanguageId: language?.isEnabled === false ? language.id : null,
      documentSkip: this.#documentSkip,
      engine: engine.state,
      model: session.spec,
      isGenerating: activity.isGenerating,
      failure: activity.failure,
    });
    const facts: StatusFacts = {
      model: readyModel(engine.state, session.spec),
      isStarter: settings.current.model === "",
      modelFile: basename(session.spec.path),
      speed: activity.latency,
      lastEngineEnd: this.#lastEngineEnd,
      benchmark: live && { fraction: fractionOf(live), what: live.what, isPaused: live.isPaused },
    };
    this.#bar.update(renderStatus(status, facts, settings.current.statusBar));
  }
}

function fractionOf({ done, total }: LiveRun): number {
  return total === 0 ? 0 : done / total;
}

/** Of the document itself; the other reasons are states of their own, and every output panel has another scheme. */
function hasOwnReason(skip: DocumentSkip): boolean {
  return skip === "secret-file" || skip === "ignored-file" || skip === "huge-file";
}

function activeLanguage(settings: SettingsStore): MenuState["language"] {
  const id = window.activeTextEditor?.document.languageId;
  return id === undefined ? null : { id, isEnabled: isLanguageEnabled(settings.current, id) };
}
