// The output channel "Hotpath". Its level is the editor's own setting, in the channel's gear menu.
import { type LogOutputChannel, window } from "vscode";
import type { Disposable } from "../common/dispose.ts";
import type { Logger } from "../common/logger.ts";

export interface Log extends Logger, Disposable {
  show(): void;
}

export function createLog(): Log {
  const channel: LogOutputChannel = window.createOutputChannel("Hotpath", { log: true });
  return {
    debug: (message) => channel.debug(message),
    info: (message) => channel.info(message),
    warn: (message) => channel.warn(message),
    error: (message) => channel.error(message),
    show: () => channel.show(true),
    dispose: () => channel.dispose(),
  };
}
