import { MarkdownString, StatusBarAlignment, type StatusBarItem, ThemeColor, window } from "vscode";
import type { Disposable } from "../common/dispose.ts";
import { commandIds, statusItemId } from "./ids.ts";
import type { StatusView } from "./statusView.ts";

export class StatusBar implements Disposable {
  readonly #item: StatusBarItem;
  #shown: StatusView | undefined;

  constructor() {
    this.#item = window.createStatusBarItem(statusItemId, StatusBarAlignment.Right, 100);
    this.#item.name = "Hotpath";
    this.#item.command = commandIds.openMenu;
    this.#item.show();
  }

  update(view: StatusView): void {
    // Setting a property redraws the item and closes its hover, so an equal view is not set again.
    if (JSON.stringify(view) === JSON.stringify(this.#shown)) return;
    this.#shown = view;
    const tooltip = new MarkdownString(view.tooltipMarkdown, true);
    tooltip.isTrusted = { enabledCommands: Object.values(commandIds) };
    this.#item.text = view.text;
    this.#item.tooltip = tooltip;
    this.#item.accessibilityInformation = { label: view.accessibilityLabel, role: "button" };
    this.#item.backgroundColor =
      view.background === "error" ? new ThemeColor("statusBarItem.errorBackground") : undefined;
  }

  dispose(): void {
    this.#item.dispose();
  }
}
