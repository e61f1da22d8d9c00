import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectionOver } from "../../../src/protocol/connection.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a connection", () => {
  it("that goes in the middle of a message keeps no process alive", async () => {
    const socket = new PassThrough();
    const connection = connectionOver(socket);
    connection.listen();
    socket.push("Content-Length: 100\r\n\r\n{");
    await vi.advanceTimersByTimeAsync(1);
    socket.destroy();
    connection.dispose();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
