import { type Memento, window, workspace } from "vscode";
import { showWalkthrough } from "./commands.ts";

const shownKey = "walkthroughShown";

/**
 * Shows the walkthrough at the first start, once per user, where it gets in nobody's way: not over open files and not
 * for people who turned the editor's own start pages off.
 */
export async function welcomeOnce(memory: Memento): Promise<void> {
  if (memory.get(shownKey, false)) return;
  await memory.update(shownKey, true);
  if (!wantsStartPages() || window.tabGroups.all.some((group) => group.tabs.length > 0)) return;
  await showWalkthrough();
}

function wantsStartPages(): boolean {
  const workbench = workspace.getConfiguration("workbench");
  return (
    workbench.get("startupEditor") !== "none" && workbench.get("welcomePage.walkthroughs.openOnInstall", true) === true
  );
}
