// Builds the benchmark of a window: the runs, their panel, and the place where programs of models run.
import path from "node:path";
import { type ExtensionContext, window } from "vscode";
import { DatasetStore } from "../../benchmark/datasets/datasetStore.ts";
import { estimateRun } from "../../benchmark/run/localRun.ts";
import type { RunPlan } from "../../benchmark/run/plan.ts";
import { freeVideoMemory } from "../../benchmark/suites/sizes/room.ts";
import { dataFolder } from "../../common/dataFolder.ts";
import { DisposableStore } from "../../common/dispose.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Tab } from "../../panel/protocol.ts";
import { modelSpecOf } from "../modelSession.ts";
import type { SettingsStore } from "../settingsStore.ts";
import type { Snooze } from "../snooze.ts";
import type { RunningBenchmark } from "../statusPresenter.ts";
import { CodePlace } from "./codePlace.ts";
import { BenchmarkController } from "./controller.ts";
import { PanelHost } from "./panelHost.ts";
import { PanelWindow } from "./panelWindow.ts";

export interface BenchmarkParts {
  readonly context: ExtensionContext;
  readonly engine: Engine;
  readonly settings: SettingsStore;
  readonly snooze: Snooze;
  readonly starterPath: string;
}

export interface Benchmark extends RunningBenchmark {
  open(tab: Tab): void;
  dispose(): void;
}

export function createBenchmark({ context, engine, settings, snooze, starterPath }: BenchmarkParts): Benchmark {
  const owned = new DisposableStore();
  const ended = new AbortController();
  owned.add({ dispose: () => ended.abort() });
  const { extensionPath: productFolder, globalState: memory } = context;
  const datasets = new DatasetStore({ folder: path.join(dataFolder(), "datasets") });
  // The panel tells the controller what waits for it, and the controller's programs run in the panel.
  const onMissed = (isMissed: boolean) => {
    controller.waitFor(isMissed ? openToGoOn : null);
    if (isMissed) void askToOpen(() => panel.reveal());
  };
  const panel = owned.add(new PanelWindow(context.extensionUri, onMissed));
  const code = new CodePlace(panel, path.join(productFolder, "dist"), memory);
  const controller = owned.add(
    new BenchmarkController({
      engine,
      productFolder,
      datasets,
      sandbox: (consent) => code.access(consent),
      holdCompletions: () => snooze.hold(),
      memory,
    }),
  );
  const planSources = () => {
    const { path: _, mode: __, ...spec } = modelSpecOf(settings.current, starterPath);
    const describe = (options: Readonly<Record<string, string>>) =>
      engine.describeSynthetic({ vocabulary: starterPath, options });
    return { spec, describe, videoMemory: () => freeVideoMemory(engine, ended.signal), folder: dataFolder() };
  };
  const estimate = (plan: RunPlan) => estimateRun(plan, { engine, productFolder }, ended.signal);
  const hostParts = { controller, panel, code, settings, datasets, starterPath, planSources, estimate };
  const host = owned.add(new PanelHost(hostParts));
  return {
    get live() {
      return controller.live;
    },
    onDidChange: controller.onDidChange,
    open: (tab) => host.open(tab),
    dispose: () => owned.dispose(),
  };
}

const openToGoOn = "Open the benchmark panel to go on";

async function askToOpen(open: () => void): Promise<void> {
  const label = "Open";
  const text = "Hotpath: code of models runs in the benchmark panel. Open it for the benchmark to go on.";
  if ((await window.showInformationMessage(text, label)) === label) open();
}
