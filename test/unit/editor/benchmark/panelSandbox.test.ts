import { describe, expect, it, vi } from "vitest";
import { Emitter } from "../../../../src/common/emitter.ts";
import { createPanelSandbox, type PageLink } from "../../../../src/editor/benchmark/panelSandbox.ts";
import type { FromPage, ToPage } from "../../../../src/panel/protocol.ts";
import type { Isolation, Verdict } from "../../../../src/sandbox/sandbox.ts";

const isolation: Isolation = { place: "panel", level: "full", layers: [], interpreter: "Pyodide 314.0.7" };
const passed: Verdict = { outcome: "passed", message: null, wallMs: 3 };
const assets = {
  source: "",
  wasm: new ArrayBuffer(0),
  stdlib: new ArrayBuffer(0),
  lockFileContents: "",
  snapshot: new ArrayBuffer(0),
};

/** A page that does what the test says, and can be closed and opened again. */
class ScriptedPage implements PageLink {
  readonly posted: ToPage[] = [];
  readonly #message = new Emitter<FromPage>();
  readonly #close = new Emitter<void>();
  readonly #open = new Emitter<void>();
  isOpen = true;
  onPost: (message: ToPage) => void = () => {};

  readonly onMessage = this.#message.event;
  readonly onDidClose = this.#close.event;

  post(message: ToPage): void {
    this.posted.push(message);
    if (this.isOpen) this.onPost(message);
  }

  whenOpen(signal: AbortSignal): Promise<void> {
    if (this.isOpen) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#open.event(() => resolve());
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  answer(message: FromPage): void {
    this.#message.fire(message);
  }

  close(): void {
    this.isOpen = false;
    this.#close.fire();
  }

  open(): void {
    this.isOpen = true;
    this.#open.fire();
  }

  /** Of the last start or program that was asked for. */
  get lastId(): number {
    const asked = this.posted.findLast(({ type }) => type === "sandboxStart" || type === "program");
    return asked && "id" in asked ? asked.id : -1;
  }

  get types(): string[] {
    return this.posted.map(({ type }) => type);
  }
}

/** Starts at once and passes every program, unless the test takes its answers away. */
function willingPage(): ScriptedPage {
  const page = new ScriptedPage();
  page.onPost = (message) => {
    if (message.type === "sandboxStart") page.answer({ type: "sandboxReady", id: message.id, isolation });
    if (message.type === "program") page.answer({ type: "verdict", id: message.id, verdict: passed });
  };
  return page;
}

const never = new AbortController().signal;
const create = (page: ScriptedPage, more: Partial<Parameters<typeof createPanelSandbox>[0]> = {}, signal = never) =>
  createPanelSandbox(
    { link: page, allowReduced: false, readAssets: async () => assets, onReduced: () => {}, ...more },
    signal,
  );

describe("the panel as a sandbox", () => {
  it("runs programs in the page, one at a time", async () => {
    const page = willingPage();
    const sandbox = await create(page);
    page.onPost = () => {};
    const both = Promise.all([sandbox.run("a = 1"), sandbox.run("b = 2")]);
    await vi.waitFor(() => expect(page.types).toEqual(["sandboxStart", "program"]));
    page.answer({ type: "verdict", id: page.lastId, verdict: passed });
    await vi.waitFor(() => expect(page.posted.at(-1)).toMatchObject({ type: "program", source: "b = 2" }));
    page.answer({ type: "verdict", id: page.lastId, verdict: { ...passed, outcome: "failed" } });
    expect((await both).map(({ outcome }) => outcome)).toEqual(["passed", "failed"]);
  });

  it("takes no verdict for another program", async () => {
    const page = willingPage();
    const sandbox = await create(page);
    page.onPost = (message) => {
      if (message.type !== "program") return;
      page.answer({ type: "verdict", id: message.id + 1, verdict: { ...passed, outcome: "failed" } });
      page.answer({ type: "verdict", id: message.id, verdict: passed });
    };
    expect(await sandbox.run("a = 1")).toEqual(passed);
  });

  it("runs the program anew when the panel was closed under it and is opened again", async () => {
    const page = willingPage();
    const sandbox = await create(page);
    const answers = page.onPost;
    page.onPost = () => {};
    const verdict = sandbox.run("a = 1");
    await vi.waitFor(() => expect(page.types.at(-1)).toBe("program"));
    page.close();
    page.onPost = answers;
    page.open();
    expect(await verdict).toEqual(passed);
    expect(page.types).toEqual(["sandboxStart", "program", "sandboxStart", "program"]);
  });

  it("waits for a panel that is not open yet", async () => {
    const page = willingPage();
    page.isOpen = false;
    const created = create(page);
    await new Promise((resolve) => setImmediate(resolve));
    expect(page.types).toEqual([]);
    page.open();
    expect((await created).isolation).toEqual(isolation);
  });

  it("says why there is no place, and that there is one of reduced isolation", async () => {
    const page = new ScriptedPage();
    const message = "Code from a model would run in reduced isolation here.";
    page.onPost = () => page.answer({ type: "sandboxFailed", id: page.lastId, message, isReduced: true });
    const onReduced = vi.fn();
    await expect(create(page, { onReduced })).rejects.toMatchObject({ code: "sandbox/unavailable", message });
    expect(onReduced).toHaveBeenCalledWith(message);
  });

  it("refuses to go on where isolation has become another", async () => {
    const page = willingPage();
    const sandbox = await create(page, { allowReduced: true });
    page.close();
    const reduced = { ...isolation, level: "reduced" } as const;
    page.onPost = (message) => {
      if (message.type === "sandboxStart") page.answer({ type: "sandboxReady", id: message.id, isolation: reduced });
    };
    page.open();
    await expect(sandbox.run("a = 1")).rejects.toMatchObject({
      code: "sandbox/unavailable",
      message: expect.stringContaining("full isolation until the panel was closed, and would now with reduced"),
    });
  });

  it("ends the program in the page when the run is cancelled", async () => {
    const page = willingPage();
    const sandbox = await create(page);
    page.onPost = () => {};
    const controller = new AbortController();
    const verdict = sandbox.run("while True: pass", controller.signal);
    await vi.waitFor(() => expect(page.types.at(-1)).toBe("program"));
    const id = page.lastId;
    controller.abort();
    await expect(verdict).rejects.toMatchObject({ code: "request/cancelled" });
    expect(page.posted.at(-1)).toEqual({ type: "programCancel", id });
  });

  it("stops a start that is cancelled, and takes no answer to it for the next one", async () => {
    const page = new ScriptedPage();
    const controller = new AbortController();
    const created = create(page, {}, controller.signal);
    await vi.waitFor(() => expect(page.types).toEqual(["sandboxStart"]));
    const late = page.lastId;
    controller.abort();
    await expect(created).rejects.toMatchObject({ code: "request/cancelled" });
    expect(page.posted.at(-1)).toEqual({ type: "sandboxStop", id: late });

    let isReady = false;
    const next = create(page).then((sandbox) => {
      isReady = true;
      return sandbox;
    });
    await vi.waitFor(() => expect(page.types.at(-1)).toBe("sandboxStart"));
    page.answer({ type: "sandboxReady", id: late, isolation: { ...isolation, level: "reduced" } });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isReady).toBe(false);
    page.answer({ type: "sandboxReady", id: page.lastId, isolation });
    expect((await next).isolation.level).toBe("full");
  });

  it("gives up on a page that does not answer", async () => {
    vi.useFakeTimers();
    try {
      const page = new ScriptedPage();
      const created = create(page);
      const failure = expect(created).rejects.toMatchObject({
        code: "sandbox/unavailable",
        message: "the benchmark panel has not answered for 120 s",
      });
      await vi.advanceTimersByTimeAsync(120_000);
      await failure;
    } finally {
      vi.useRealTimers();
    }
  });

  it("stops the place when it is disposed", async () => {
    const page = willingPage();
    (await create(page)).dispose();
    expect(page.types).toEqual(["sandboxStart", "sandboxStop"]);
  });
});
