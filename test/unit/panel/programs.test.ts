import { describe, expect, it, vi } from "vitest";
import { Programs } from "../../../src/panel/page/programs.ts";
import type { FromPage } from "../../../src/panel/protocol.ts";
import type { Isolation, Sandbox } from "../../../src/sandbox/sandbox.ts";

const isolation: Isolation = { place: "panel", level: "full", layers: [], interpreter: "Pyodide 314.0.7" };
const assets = {
  source: "",
  wasm: new ArrayBuffer(0),
  stdlib: new ArrayBuffer(0),
  lockFileContents: "",
  snapshot: new ArrayBuffer(0),
};
const start = (id: number) => ({ type: "sandboxStart", id, assets, allowReduced: false }) as const;

/** The page, and its places in the order of their starts; each is there when the test says so. */
function scripted() {
  const sent: FromPage[] = [];
  const places: { sandbox: Sandbox; open: () => Promise<void> }[] = [];
  const create = () => {
    const sandbox: Sandbox = {
      isolation,
      run: vi.fn(async () => ({ outcome: "passed" as const, message: null, wallMs: 1 })),
      dispose: vi.fn(),
    };
    return new Promise<Sandbox>((resolve) => {
      const open = async () => {
        resolve(sandbox);
        await new Promise((done) => setImmediate(done));
      };
      places.push({ sandbox, open });
    });
  };
  const programs = new Programs((message) => sent.push(message), create);
  const place = (index: number) => {
    const found = places[index];
    if (!found) throw new Error(`no place ${index} was started`);
    return found;
  };
  return { programs, sent, place };
}

describe("the page as a place for programs", () => {
  it("answers a start by its id, and runs programs there", async () => {
    const { programs, sent, place } = scripted();
    programs.receive(start(7));
    await place(0).open();
    programs.receive({ type: "program", id: 8, source: "a = 1" });
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    expect(sent).toMatchObject([
      { type: "sandboxReady", id: 7 },
      { type: "verdict", id: 8, verdict: { outcome: "passed" } },
    ]);
  });

  it("ends the workers of a start that was stopped before it was ready, without an answer", async () => {
    const { programs, sent, place } = scripted();
    programs.receive(start(1));
    programs.receive({ type: "sandboxStop", id: 1 });
    await place(0).open();
    expect(place(0).sandbox.dispose).toHaveBeenCalledOnce();
    expect(sent).toEqual([]);
  });

  it("keeps the last start, whichever is ready first", async () => {
    const { programs, sent, place } = scripted();
    programs.receive(start(1));
    programs.receive(start(2));
    await place(1).open();
    await place(0).open();
    programs.receive({ type: "sandboxStop", id: 1 });
    expect(place(0).sandbox.dispose).toHaveBeenCalledOnce();
    expect(place(1).sandbox.dispose).not.toHaveBeenCalled();
    expect(sent).toEqual([{ type: "sandboxReady", id: 2, isolation }]);
  });
});
