import { describe, expect, it } from "vitest";
import { judge, Mailbox, parsePlaceMessage } from "../../../src/sandbox/place.ts";

const parse = (value: unknown) => parsePlaceMessage(value, (probes) => probes);

describe("a place's message", () => {
  it.each([
    { type: "ready" },
    { type: "unable", reason: "no memory" },
    { type: "probed", interpreter: "Pyodide 1", probes: {} },
    { type: "ended", nonce: "n", outcome: "passed", message: null },
    { type: "ended", nonce: "n", outcome: "memory", message: "MemoryError" },
  ])("is believed in its exact shape: $type", (message) => {
    expect(parse(message)).toEqual(message);
  });

  it.each([
    null,
    "ended",
    [],
    {},
    { type: "verdict" },
    { type: "unable" },
    { type: "probed", interpreter: "Pyodide 1", probes: null },
    { type: "ended", nonce: "n", outcome: "passed" },
    { type: "ended", nonce: "n", outcome: "passed", message: "well done" },
    { type: "ended", nonce: 1, outcome: "passed", message: null },
    { type: "ended", nonce: "n", outcome: "timeout", message: "late" },
    { type: "ended", nonce: "n", outcome: "failed", message: null },
    { type: "ended", nonce: "n", outcome: "failed", message: "x".repeat(1_001) },
  ])("is not believed otherwise: %j", (message) => {
    expect(parse(message)).toBeNull();
  });
});

describe("a verdict", () => {
  const ended = { type: "ended", nonce: "right", outcome: "passed", message: null } as const;

  it("is the answer with the nonce of the request", () => {
    expect(judge(ended, "right")).toEqual({ outcome: "passed", message: null });
  });

  it("is a crash for an answer with another nonce, and for anything out of turn", () => {
    expect(judge(ended, "other").outcome).toBe("crashed");
    expect(judge({ type: "ready" }, "right")).toEqual({ outcome: "crashed", message: '"ready" came out of turn' });
  });

  it("is what the end of the place means", () => {
    const gone = { type: "gone", outcome: "timeout", how: "more than 10 s" } as const;
    expect(judge(gone, "right")).toEqual({ outcome: "timeout", message: "more than 10 s" });
  });
});

describe("a mailbox", () => {
  it("keeps messages in order for a reader who comes later, and hands them to one who waits", async () => {
    const mailbox = new Mailbox<number>();
    mailbox.deliver(1);
    mailbox.deliver(2);
    expect([await mailbox.receive(), await mailbox.receive()]).toEqual([1, 2]);
    const waiting = mailbox.receive();
    mailbox.deliver(3);
    expect(await waiting).toBe(3);
  });

  it("gives something else when nothing came in time", async () => {
    expect(await new Mailbox<number>().receiveWithin(1, () => -1)).toBe(-1);
  });
});
