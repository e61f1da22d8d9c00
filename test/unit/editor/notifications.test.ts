import { describe, expect, it } from "vitest";
import { AppError, type ErrorCode, errorCodes } from "../../../src/common/errors.ts";
import { commandIds } from "../../../src/editor/ids.ts";
import { type Action, advice, Notifier } from "../../../src/editor/notifications.ts";

const codes = Object.keys(errorCodes) as ErrorCode[];
const knownCommands = [...Object.values(commandIds), "workbench.action.reloadWindow"];

describe("advice", () => {
  it("covers every error code", () => {
    expect(Object.keys(advice).sort()).toEqual([...codes].sort());
  });

  it.each(codes)("says what to do about %s in whole sentences", (code) => {
    expect(advice[code].whatToDo).toMatch(/^[A-Z].*\.$/);
  });

  it.each(codes)("offers an action with every pop-up and only real commands for %s", (code) => {
    const { actions, shown } = advice[code];
    if (shown === "popUp") expect(actions.length).toBeGreaterThan(0);
    for (const { command } of actions) expect(knownCommands).toContain(command);
  });
});

function notifierWithPopUps() {
  const popUps: { message: string; actions: readonly Action[] }[] = [];
  const notifier = new Notifier((message, actions) => popUps.push({ message, actions }));
  return { notifier, popUps };
}

describe("Notifier", () => {
  const exited = new AppError("engine/exited", "the engine process 7 was killed by SIGKILL");

  it("shows the message, what to do and the actions", () => {
    const { notifier, popUps } = notifierWithPopUps();
    notifier.report(exited);
    expect(popUps).toEqual([
      {
        message: `Hotpath: the engine process 7 was killed by SIGKILL. ${advice["engine/exited"].whatToDo}`,
        actions: advice["engine/exited"].actions,
      },
    ]);
  });

  it("shows one cause once", () => {
    const { notifier, popUps } = notifierWithPopUps();
    notifier.report(exited);
    notifier.report(new AppError("engine/exited", "the engine process 8 was killed by SIGKILL"));
    expect(popUps).toHaveLength(1);
  });

  it("shows a cause again when it was told to forget", () => {
    const { notifier, popUps } = notifierWithPopUps();
    notifier.report(exited);
    notifier.forget();
    notifier.report(exited);
    expect(popUps).toHaveLength(2);
  });

  it("tells causes of one code apart", () => {
    const { notifier, popUps } = notifierWithPopUps();
    for (const key of ["threads", "device", "threads"]) {
      notifier.report(new AppError("settings/invalid", `hotpath.${key} is bad`), `settings/invalid ${key}`);
    }
    expect(popUps).toHaveLength(2);
  });

  it.each(["request/cancelled", "request/invalid", "internal/bug"] as const)("shows no pop-up for %s", (code) => {
    const { notifier, popUps } = notifierWithPopUps();
    notifier.report(new AppError(code, "whatever"));
    expect(popUps).toEqual([]);
  });
});
