import { describe, expect, it } from "vitest";
import { type MenuState, menuItems } from "../../../src/editor/menuItems.ts";

const state: MenuState = {
  isEnabled: true,
  language: { id: "python", isEnabled: true },
  snoozedUntil: null,
  modelName: "qwen.gguf",
  isStarter: false,
  benchmark: null,
};

function rows(change: Partial<MenuState>) {
  return menuItems({ ...state, ...change }).map(({ label, description }) =>
    description === undefined ? label : `${label} (${description})`,
  );
}

describe("menuItems", () => {
  it("offers every switch and view when all is on", () => {
    expect(rows({})).toEqual([
      "Turn Completions Off",
      "Turn Completions Off for python",
      "Snooze…",
      "Choose Model… (qwen.gguf)",
      "Trigger Completion",
      "Show Last Completions",
      "Benchmark…",
      "Restart Engine",
      "Show Log",
      "Settings",
      "Walkthrough",
    ]);
  });

  it("offers the way back when things are off", () => {
    const off = rows({ isEnabled: false, language: { id: "python", isEnabled: false }, snoozedUntil: "restart" });
    expect(off.slice(0, 3)).toEqual([
      "Turn Completions On",
      "Turn Completions On for python",
      "End Snooze or Change It… (until restart)",
    ]);
  });

  it("leads to the benchmark under way, and says what completions wait for", () => {
    const during = rows({ snoozedUntil: "benchmark", benchmark: { description: "34 %, HumanEval/12" } });
    expect(during).toContain("Benchmark… (34 %, HumanEval/12)");
    expect(during).toContain("End Snooze or Change It… (until the benchmark has ended)");
  });

  it("leaves the language away when no editor is open", () => {
    expect(rows({ language: null })).not.toContain("Turn Completions Off for python");
  });

  it("names the starter model as what it is", () => {
    expect(rows({ isStarter: true })).toContain("Choose Model… (the starter model)");
  });
});
