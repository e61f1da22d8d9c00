// What the user is told about a failure: one sentence of what to do, and buttons that do it.
import { type AppError, type ErrorCode, sentence } from "../common/errors.ts";
import { commandIds } from "./ids.ts";

export interface Action {
  readonly label: string;
  /** Full id, as the editor knows it. */
  readonly command: string;
}

export interface Advice {
  readonly whatToDo: string;
  readonly actions: readonly Action[];
  /** "statusBar": failures of one completion, gone with the next one that works. "never": not worth showing. */
  readonly shown: "popUp" | "statusBar" | "never";
}

const chooseModel: Action = { label: "Choose Model…", command: commandIds.chooseModel };
const restartEngine: Action = { label: "Restart Engine", command: commandIds.restartEngine };
const showLog: Action = { label: "Show Log", command: commandIds.showLog };
const openSettings: Action = { label: "Open Settings", command: commandIds.openSettings };
const reloadWindow: Action = { label: "Reload Window", command: "workbench.action.reloadWindow" };

export const advice: Readonly<Record<ErrorCode, Advice>> = {
  "engine/exited": {
    whatToDo: "It starts again by itself. If this repeats, choose a smaller model or set hotpath.device to cpu.",
    actions: [showLog, chooseModel],
    shown: "popUp",
  },
  "engine/start-failed": {
    whatToDo: "The log says why. Reinstall Hotpath if files are missing.",
    actions: [showLog, restartEngine],
    shown: "popUp",
  },
  "engine/unresponsive": {
    whatToDo: "Restart the engine; choose a smaller model if the machine is busy with this one.",
    actions: [restartEngine, showLog],
    shown: "popUp",
  },
  "engine/version": {
    whatToDo: "Reload this window.",
    actions: [reloadWindow],
    shown: "popUp",
  },
  "engine/refused": {
    whatToDo: "Restart the engine.",
    actions: [restartEngine, showLog],
    shown: "popUp",
  },
  "engine/restart-limit": {
    whatToDo: "Choose another model or set hotpath.device to cpu, then restart the engine.",
    actions: [restartEngine, chooseModel, showLog],
    shown: "popUp",
  },
  "model/not-found": {
    whatToDo: "Choose a model that is there.",
    actions: [chooseModel],
    shown: "popUp",
  },
  "model/not-gguf": {
    whatToDo: "Choose a model in GGUF format.",
    actions: [chooseModel],
    shown: "popUp",
  },
  "model/corrupt": {
    whatToDo: "Download the file again or choose another model.",
    actions: [chooseModel],
    shown: "popUp",
  },
  "model/unsupported": {
    whatToDo: "Choose a code model that llama.cpp runs, for example of the Qwen2.5-Coder family.",
    actions: [chooseModel],
    shown: "popUp",
  },
  "model/no-fim": {
    whatToDo: "Choose a code model made for completion, for example Qwen2.5-Coder, StarCoder2 or DeepSeek-Coder.",
    actions: [chooseModel],
    shown: "popUp",
  },
  "model/too-large": {
    whatToDo: "Choose a smaller model or a smaller quantisation, or lower hotpath.contextLength.",
    actions: [chooseModel, openSettings],
    shown: "popUp",
  },
  "model/unloaded": {
    whatToDo: "It is loaded again with the next completion.",
    actions: [],
    shown: "statusBar",
  },
  "device/unavailable": {
    whatToDo: "Check the driver, or set hotpath.device to cpu.",
    actions: [openSettings, showLog],
    shown: "popUp",
  },
  "device/out-of-memory": {
    whatToDo: "Lower hotpath.gpuLayers or hotpath.contextLength, or choose a smaller model.",
    actions: [openSettings, chooseModel],
    shown: "popUp",
  },
  "file/unreadable": {
    whatToDo: "Check that you may read the file.",
    actions: [chooseModel],
    shown: "popUp",
  },
  "file/unwritable": {
    whatToDo: "Check that there is room on the disk and that you may write there.",
    actions: [showLog],
    shown: "popUp",
  },
  "sidecar/invalid": {
    whatToDo: "Run hotpath prepare again.",
    actions: [showLog],
    shown: "popUp",
  },
  "sandbox/unavailable": {
    whatToDo: "Choose suites that run no code, or allow reduced isolation where it is offered.",
    actions: [showLog],
    shown: "popUp",
  },
  "dataset/unavailable": {
    whatToDo: "Check the network and fetch it again, or choose a file you have.",
    actions: [showLog],
    shown: "popUp",
  },
  "dataset/invalid": {
    whatToDo: "Fetch it again, or choose another file.",
    actions: [showLog],
    shown: "popUp",
  },
  "record/invalid": {
    whatToDo: "Open another run; the file is left as it is.",
    actions: [showLog],
    shown: "popUp",
  },
  "server/failed": {
    whatToDo: "Check that the server runs at that address and has that model.",
    actions: [showLog],
    shown: "popUp",
  },
  "request/cancelled": {
    whatToDo: "Nothing; something newer was asked for.",
    actions: [],
    shown: "never",
  },
  "request/invalid": {
    whatToDo: "Please report this with the log.",
    actions: [showLog],
    shown: "statusBar",
  },
  "settings/invalid": {
    whatToDo: "Correct the value in the settings.",
    actions: [openSettings],
    shown: "popUp",
  },
  "internal/bug": {
    whatToDo: "Please report this with the log.",
    actions: [showLog],
    shown: "statusBar",
  },
};

/** What happened and what to do, as the user reads it. */
export function messageOf(error: AppError): string {
  return `Hotpath: ${sentence(error.message)} ${advice[error.code].whatToDo}`;
}

export type Present = (message: string, actions: readonly Action[]) => void;

/** Shows a pop-up once per cause, until `forget` says that the user changed something about it. */
export class Notifier {
  readonly #present: Present;
  readonly #shown = new Set<string>();

  constructor(present: Present) {
    this.#present = present;
  }

  /** `cause` tells two failures with one code apart, for example two bad settings. */
  report(error: AppError, cause: string = error.code): void {
    const { actions, shown } = advice[error.code];
    if (shown !== "popUp" || this.#shown.has(cause)) return;
    this.#shown.add(cause);
    this.#present(messageOf(error), actions);
  }

  forget(): void {
    this.#shown.clear();
  }
}
