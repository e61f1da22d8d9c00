// The quick menu and the choices it leads to.
import { commands, type QuickPickItem, window } from "vscode";
import { commandIds } from "./ids.ts";
import { type MenuState, menuItems } from "./menuItems.ts";
import { clockTime } from "./phrases.ts";
import type { Snooze } from "./snooze.ts";

export async function openMenu(state: MenuState): Promise<void> {
  const rows = menuItems(state).map(({ icon, label, description, command }) => ({
    label: `$(${icon}) ${label}`,
    command,
    ...(description === undefined ? {} : { description }),
  }));
  const chosen = await window.showQuickPick(rows, { title: "Hotpath", placeHolder: "Local code completion" });
  if (!chosen) return;
  await focusEditor();
  await commands.executeCommand(commandIds[chosen.command]);
}

/** The menu was opened by a click on the status bar, which would keep the focus: the next keys belong to the code. */
async function focusEditor(): Promise<void> {
  if (window.activeTextEditor) await commands.executeCommand("workbench.action.focusActiveEditorGroup");
}

export async function openSnoozeMenu(snooze: Snooze): Promise<void> {
  const rows: (QuickPickItem & { readonly run: () => void })[] = [5, 15, 60].map((minutes) => ({
    label: minutes === 60 ? "1 hour" : `${minutes} minutes`,
    description: `until ${clockTime(Date.now() + minutes * 60_000)}`,
    run: () => snooze.startFor(minutes),
  }));
  rows.push({ label: "Until restart", description: "of this window", run: () => snooze.startUntilRestart() });
  if (snooze.until !== null) rows.unshift({ label: "End snooze", run: () => snooze.end() });
  const chosen = await window.showQuickPick(rows, { title: "Snooze Completions", placeHolder: "For how long?" });
  chosen?.run();
}
