// Every name the manifest and the code share. A test compares them with package.json.

export const extensionId = "hotpath.hotpath";
export const settingsSection = "hotpath";
export const statusItemId = "hotpath.status";
export const walkthroughId = "start";
export const benchmarkViewType = "hotpath.benchmark";
export const traceScheme = "hotpath-trace";

export const commandIds = {
  openMenu: "hotpath.openMenu",
  toggle: "hotpath.toggle",
  toggleLanguage: "hotpath.toggleLanguage",
  snooze: "hotpath.snooze",
  chooseModel: "hotpath.chooseModel",
  restartEngine: "hotpath.restartEngine",
  trigger: "hotpath.trigger",
  showLastCompletions: "hotpath.showLastCompletions",
  saveTrace: "hotpath.saveTrace",
  recordKeystrokes: "hotpath.recordKeystrokes",
  showLog: "hotpath.showLog",
  openSettings: "hotpath.openSettings",
  openSample: "hotpath.openSample",
  showWalkthrough: "hotpath.showWalkthrough",
  benchmark: "hotpath.benchmark",
  openBenchmarkResults: "hotpath.openBenchmarkResults",
} as const;

export type CommandName = keyof typeof commandIds;
