// An HTTP server on this machine that answers as the test says.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface SeenRequest {
  readonly path: string;
  readonly body: Record<string, unknown> | null;
}

export type Answer = (request: SeenRequest, reply: http.ServerResponse) => void | Promise<void>;

export interface ScriptedServer {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Of each request, undefined where there was none. */
  readonly authorizations: readonly (string | undefined)[];
  /** Resolves when a client has gone before its answer was over. */
  readonly disconnected: Promise<void>;
}

/** Answers by path; others get 404. */
export async function scriptedServer(answers: Readonly<Record<string, Answer>>): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const authorizations: (string | undefined)[] = [];
  let onDisconnect = () => {};
  const disconnected = new Promise<void>((resolve) => {
    onDisconnect = resolve;
  });
  const server = http.createServer(async (incoming, reply) => {
    let text = "";
    for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
    const request = { path: incoming.url ?? "", body: text === "" ? null : JSON.parse(text) };
    seen.push(request);
    authorizations.push(incoming.headers.authorization);
    reply.on("close", () => {
      if (!reply.writableFinished) onDisconnect();
    });
    const answer = answers[request.path];
    if (answer) await answer(request, reply);
    else reply.writeHead(404).end("nothing here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, authorizations, disconnected };
}

export const json =
  (value: unknown): Answer =>
  (_, reply) =>
    void reply.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));

/** Sends bytes in the given pieces, each on its own. */
export const inPieces =
  (pieces: readonly (string | Uint8Array)[]): Answer =>
  async (_, reply) => {
    reply.writeHead(200);
    for (const piece of pieces) {
      await new Promise((resolve) => reply.write(piece, resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    reply.end();
  };

export const events = (messages: readonly unknown[]): string =>
  messages.map((message) => `data: ${typeof message === "string" ? message : JSON.stringify(message)}\n\n`).join("");

export const lines = (messages: readonly unknown[]): string =>
  messages.map((message) => `${JSON.stringify(message)}\n`).join("");
