// The rows of the quick menu for a state: pure, so that they can be read in a test.
import type { CommandName } from "./ids.ts";
import { clockTime } from "./phrases.ts";
import type { SnoozedUntil, SnoozeEnd } from "./snooze.ts";

export interface MenuState {
  readonly isEnabled: boolean;
  /** Of the active editor; null without one. */
  readonly language: { readonly id: string; readonly isEnabled: boolean } | null;
  readonly snoozedUntil: SnoozedUntil;
  readonly modelName: string;
  readonly isStarter: boolean;
  /** How far the one under way is, for people; null: none. */
  readonly benchmark: { readonly description: string } | null;
}

export interface MenuItem {
  readonly icon: string;
  readonly label: string;
  readonly description?: string;
  readonly command: CommandName;
}

export function menuItems(state: MenuState): MenuItem[] {
  const { language, snoozedUntil } = state;
  const items: MenuItem[] = [
    state.isEnabled
      ? { icon: "circle-slash", label: "Turn Completions Off", command: "toggle" }
      : { icon: "flame", label: "Turn Completions On", command: "toggle" },
  ];
  if (language) {
    const label = `Turn Completions ${language.isEnabled ? "Off" : "On"} for ${language.id}`;
    items.push({ icon: "code", label, command: "toggleLanguage" });
  }
  if (snoozedUntil === null) items.push({ icon: "bell-slash", label: "Snooze…", command: "snooze" });
  else {
    const until = describeEnd(snoozedUntil);
    items.push({ icon: "bell", label: "End Snooze or Change It…", description: until, command: "snooze" });
  }
  const modelDescription = state.isStarter ? "the starter model" : state.modelName;
  items.push(
    { icon: "chip", label: "Choose Model…", description: modelDescription, command: "chooseModel" },
    { icon: "sparkle", label: "Trigger Completion", command: "trigger" },
    { icon: "list-unordered", label: "Show Last Completions", command: "showLastCompletions" },
    {
      icon: "beaker",
      label: "Benchmark…",
      ...(state.benchmark ?? {}),
      command: state.benchmark ? "openBenchmarkResults" : "benchmark",
    },
    { icon: "debug-restart", label: "Restart Engine", command: "restartEngine" },
    { icon: "output", label: "Show Log", command: "showLog" },
    { icon: "gear", label: "Settings", command: "openSettings" },
    { icon: "book", label: "Walkthrough", command: "showWalkthrough" },
  );
  return items;
}

function describeEnd(end: SnoozeEnd): string {
  if (end === "benchmark") return "until the benchmark has ended";
  return end === "restart" ? "until restart" : `until ${clockTime(end)}`;
}
