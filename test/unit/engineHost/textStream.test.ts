import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TextStream } from "../../../src/engineHost/textStream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorded() {
  const sent: string[] = [];
  return { sent, stream: new TextStream((text) => sent.push(text)) };
}

describe("TextStream", () => {
  it("sends the first piece at once and gathers those that follow closely", () => {
    const { sent, stream } = recorded();
    for (const piece of ["a", "b", "c"]) stream.push(piece);
    expect(sent).toEqual(["a"]);
    vi.advanceTimersByTime(4);
    expect(sent).toEqual(["a", "bc"]);
  });

  it("sends every piece at once when they come slowly", () => {
    const { sent, stream } = recorded();
    for (const piece of ["a", "b"]) {
      stream.push(piece);
      vi.advanceTimersByTime(10);
    }
    expect(sent).toEqual(["a", "b"]);
  });

  it("sends what is left when it ends, once", () => {
    const { sent, stream } = recorded();
    stream.push("a");
    stream.push("b");
    stream.dispose();
    vi.advanceTimersByTime(100);
    expect(sent).toEqual(["a", "b"]);
  });
});
