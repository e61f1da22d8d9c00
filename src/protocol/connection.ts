// JSON-RPC over a socket, for either side of it.
import type { Duplex } from "node:stream";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";

export function connectionOver(socket: Duplex): MessageConnection {
  const reader = new StreamMessageReader(socket);
  // It tells again and again that a message is late, also when the socket has gone in the middle of one, and its timer
  // would keep a process from ending.
  reader.partialMessageTimeout = 0;
  return createMessageConnection(reader, new StreamMessageWriter(socket));
}
