// Builds the parts and connects them: to each other, to the editor, and to the end of the window.
import { commands, type ExtensionContext, languages, window, workspace } from "vscode";
import { DisposableStore } from "./common/dispose.ts";
import { AppError, isCancelled, toAppError } from "./common/errors.ts";
import type { Outcome } from "./completion/outcome.ts";
import { Activity } from "./editor/activity.ts";
import { createBenchmark } from "./editor/benchmark/benchmark.ts";
import { TypingRecorder } from "./editor/benchmark/recordTyping.ts";
import { ChangeTracker } from "./editor/changeTracker.ts";
import { ModelChooser } from "./editor/chooseModel.ts";
import * as simple from "./editor/commands.ts";
import { CompletionHistory } from "./editor/completionHistory.ts";
import { DocumentGate } from "./editor/documentGate.ts";
import { IgnoreFiles } from "./editor/ignoreFiles.ts";
import { createLog } from "./editor/log.ts";
import { openMenu, openSnoozeMenu } from "./editor/menus.ts";
import { ModelSession, modelSpecOf } from "./editor/modelSession.ts";
import { type Action, advice, messageOf, Notifier } from "./editor/notifications.ts";
import { createPipeline } from "./editor/pipelineAdapter.ts";
import { Power } from "./editor/power.ts";
import { CompletionProvider } from "./editor/provider.ts";
import type { SettingProblem } from "./editor/settings.ts";
import { SettingsStore } from "./editor/settingsStore.ts";
import { Snooze } from "./editor/snooze.ts";
import { StatusBar } from "./editor/statusBar.ts";
import { StatusPresenter } from "./editor/statusPresenter.ts";
import { TraceDocument } from "./editor/traceDocument.ts";
import { welcomeOnce } from "./editor/welcome.ts";
import { createLocalEngine } from "./engine/localEngine.ts";
import { starterModelPath } from "./models/starterModel.ts";
import { isSameSpec } from "./protocol/model.ts";

/** For tests inside the extension host. */
export interface HotpathApi {
  /** Oldest first. */
  lastOutcomes(): readonly Outcome[];
}

export function activate(context: ExtensionContext): HotpathApi {
  const owned = new DisposableStore();
  context.subscriptions.push(owned);

  const log = owned.add(createLog());
  const notifier = new Notifier((message, actions) => void present(message, actions));
  const onSettingProblem = ({ key, message }: SettingProblem) => {
    log.warn(message);
    notifier.report(new AppError("settings/invalid", message, { key }), message);
  };
  const settings = owned.add(new SettingsStore(onSettingProblem));
  const engineOptions = {
    engineScript: context.asAbsolutePath("dist/engineHost.js"),
    client: `vscode ${process.pid}`,
    logger: log,
    preferences: { idleUnloadMinutes: settings.current.idleUnloadMinutes },
  };
  const engine = owned.add(createLocalEngine(engineOptions));

  const starterPath = starterModelPath(context.extensionPath);
  const session = owned.add(new ModelSession(engine, modelSpecOf(settings.current, starterPath)));
  const snooze = owned.add(new Snooze());
  const activity = new Activity();
  const history = new CompletionHistory();
  const gate = new DocumentGate(settings, snooze, owned.add(new IgnoreFiles()));
  const pipeline = createPipeline(engine, session, activity);
  owned.add({ dispose: () => pipeline.reset() });
  const changes = owned.add(new ChangeTracker());
  const power = owned.add(new Power());
  const bar = owned.add(new StatusBar());
  const benchmark = owned.add(createBenchmark({ context, engine, settings, snooze, starterPath }));
  const presenter = owned.add(
    new StatusPresenter({ engine, settings, snooze, session, activity, gate, benchmark }, bar),
  );
  const chooser = new ModelChooser(engine, settings);
  const trace = owned.add(new TraceDocument(history));

  const onFailure = (thrown: unknown) => {
    if (isCancelled(thrown)) return;
    const error = toAppError(thrown);
    if (activity.failure?.message !== error.message) log.error(`${error.code}: ${error.message}`);
    activity.noteFailure(error);
    notifier.report(error);
  };
  const typing = owned.add(new TypingRecorder(onFailure));
  // Has the model ready before the first keystroke, but only for a window that will need it.
  const warmUp = async () => {
    const document = window.activeTextEditor?.document;
    if (!document || (await gate.skipReason(document, 0, "automatic"))) return;
    await session.ready().catch(onFailure);
  };
  const restartEngine = async () => {
    notifier.forget();
    activity.clearFailure();
    session.forgetFailure();
    await engine.restart();
  };

  owned.add(
    engine.onDidChangeState((state) => {
      // What failed in the former process says nothing about the new one.
      if (state.kind === "starting") activity.clearFailure();
      if (state.kind === "failed") notifier.report(state.error);
    }),
  );
  owned.add(
    settings.onDidChange(({ before, after }) => {
      if (before.idleUnloadMinutes !== after.idleUnloadMinutes) {
        engine.setPreferences({ idleUnloadMinutes: after.idleUnloadMinutes });
      }
      const spec = modelSpecOf(after, starterPath);
      if (!isSameSpec(spec, session.spec)) {
        session.use(spec);
        pipeline.reset();
        activity.reset();
        notifier.forget();
      }
      void warmUp();
    }),
  );
  owned.add(workspace.onDidCloseTextDocument((document) => pipeline.closed(document.uri.toString())));
  owned.add(window.onDidChangeActiveTextEditor(() => void warmUp()));
  owned.add(
    languages.registerInlineCompletionItemProvider(
      { pattern: "**" },
      new CompletionProvider({ gate, pipeline, session, settings, changes, activity, power, history, log, onFailure }),
    ),
  );
  const table: simple.CommandTable = {
    openMenu: () => openMenu(presenter.menuState),
    toggle: () => simple.toggleEverywhere(settings),
    toggleLanguage: () => simple.toggleLanguage(settings),
    snooze: () => openSnoozeMenu(snooze),
    chooseModel: () => chooser.choose(),
    restartEngine,
    trigger: simple.triggerCompletion,
    showLastCompletions: () => trace.show(),
    saveTrace: () => trace.saveAsTestCase(),
    recordKeystrokes: () => typing.toggle(),
    showLog: () => log.show(),
    openSettings: simple.openSettings,
    openSample: () => simple.openSample(context.extensionPath),
    showWalkthrough: simple.showWalkthrough,
    benchmark: () => benchmark.open("start"),
    openBenchmarkResults: () => benchmark.open("results"),
  };
  owned.add(
    simple.registerCommands(table, (error) => {
      log.error(`${error.code}: ${error.message}`);
      void present(messageOf(error), advice[error.code].actions);
    }),
  );

  void warmUp();
  welcomeOnce(context.globalState).catch((thrown) => log.warn(`walkthrough not shown: ${toAppError(thrown).message}`));
  return { lastOutcomes: () => history.entries.map(({ outcome }) => outcome) };
}

async function present(message: string, actions: readonly Action[]): Promise<void> {
  const chosen = await window.showWarningMessage(message, ...actions.map(({ label }) => label));
  const action = actions.find(({ label }) => label === chosen);
  if (action) await commands.executeCommand(action.command);
}
