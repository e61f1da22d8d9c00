// Requests to a server whose address the user typed, and to no other: nothing is followed elsewhere.
import http from "node:http";
import https from "node:https";
import { cancelled, throwIfCancelled } from "../../../common/cancellation.ts";
import { AppError } from "../../../common/errors.ts";
import { asObject, errorOf } from "./dialect.ts";

/** A server that says nothing for so long has gone; a large model may take minutes over its first token. */
const silenceLimitMs = 10 * 60_000;
/** Of what a server answered, in messages. */
const excerptLength = 300;
const keptErrorLength = 4096;
/** Of one JSON text in characters; the longest there are tell of the prompt and of all a server can do. */
const longestJson = 16 << 20;

export interface Call {
  /** Null body: GET. */
  readonly body: object | null;
  readonly signal: AbortSignal;
  /** Sent as a bearer token; null: none. What servers answer is quoted without it. */
  readonly key: string | null;
}

/** The answer as parsed JSON. */
export async function requestJson(url: URL, call: Call): Promise<unknown> {
  const reply = await send(url, call);
  const answer = await guarded(url, call.signal, () => beginning(reply, longestJson));
  if (answer.length > longestJson) throw failed(url, `answered more than ${longestJson} characters`);
  try {
    return JSON.parse(answer);
  } catch (error) {
    throw failed(url, `answered what is not JSON: ${excerpt(answer, call.key)}`, error);
  }
}

/** The lines of a streamed answer as they arrive, without their ends. The connection is closed when the reader leaves. */
export async function* requestLines(url: URL, call: Call): AsyncGenerator<string, void, undefined> {
  const reply = await send(url, call);
  reply.setEncoding("utf8");
  const chunks = reply[Symbol.asyncIterator]() as AsyncIterator<string>;
  let pending = "";
  try {
    for (;;) {
      const { value, done } = await guarded(url, call.signal, () => chunks.next());
      if (done) break;
      pending += value;
      if (pending.length > longestJson) throw failed(url, `sent a line of more than ${longestJson} characters`);
      // A long line comes in many chunks, and is gone through once.
      if (!value.includes("\n")) continue;
      const lines = pending.split(/\r\n|\n/);
      pending = lines.pop() ?? "";
      yield* lines;
    }
    if (pending !== "") yield pending;
  } finally {
    reply.destroy();
  }
}

async function send(url: URL, call: Call): Promise<http.IncomingMessage> {
  const { signal, key } = call;
  throwIfCancelled(signal);
  const reply = await guarded(url, signal, () => start(url, call));
  const { statusCode = 0, statusMessage, headers } = reply;
  if (statusCode >= 200 && statusCode < 300) return reply;
  const answer = await guarded(url, signal, () => beginning(reply, keptErrorLength));
  const said = excerpt(messageIn(answer), key);
  const elsewhere = headers.location ? ` and points to ${headers.location}, which is not followed` : "";
  const keyless = statusCode === 401 && key === null;
  const advice = keyless ? "; a key for openai or llama-server goes into the environment, HOTPATH_SERVER_KEY" : "";
  throw failed(url, `answered ${statusCode} ${statusMessage}${elsewhere}: ${said}${advice}`, undefined, statusCode);
}

function start(url: URL, { body, signal, key }: Call): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = body === null ? null : Buffer.from(JSON.stringify(body));
    const headers = {
      ...(sent ? { "content-type": "application/json", "content-length": sent.length } : {}),
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    };
    const { request } = url.protocol === "https:" ? https : http;
    // A connection for each: one that was kept may have been closed by the server just when it is used again.
    const outgoing = request(url, { method: sent ? "POST" : "GET", headers, signal, agent: false }, resolve);
    outgoing.setTimeout(silenceLimitMs, () =>
      outgoing.destroy(new Error(`it was silent for ${silenceLimitMs / 60_000} minutes`)),
    );
    outgoing.on("error", reject);
    outgoing.end(sent ?? undefined);
  });
}

/** Servers of models put what went wrong into JSON; what stands before them, such as a proxy, answers in its own way. */
function messageIn(answer: string): string {
  try {
    return errorOf(asObject(JSON.parse(answer))) ?? answer;
  } catch {
    return answer; // Not JSON, or more of it than is kept: it is told as it is.
  }
}

/** All of an answer, or somewhat more of it than `length`. */
async function beginning(reply: http.IncomingMessage, length: number): Promise<string> {
  let answer = "";
  for await (const chunk of reply.setEncoding("utf8")) {
    answer += chunk;
    if (answer.length > length) break;
  }
  return answer;
}

/** What goes wrong on the way becomes one of our errors; a request that was aborted was cancelled. */
async function guarded<T>(url: URL, signal: AbortSignal, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (signal.aborted) throw cancelled();
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw failed(url, reasonOf(code) ?? `did not answer: ${message}`, error);
  }
}

/** Of Node's and OpenSSL's codes; null: their message says it best. */
function reasonOf(code: string): string | null {
  if (code === "ECONNREFUSED" || code === "ENOTFOUND") return `is not there (${code}); is it running?`;
  if (code === "ECONNRESET") return "ended the connection in the middle of its answer";
  if (code === "EPROTO") return "does not speak TLS; is its address one of http://?";
  if (code.startsWith("HPE_")) return `does not answer as an HTTP server does (${code}); is it another kind of server?`;
  if (/SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)/.test(code))
    return `has a certificate that nobody known here signed (${code}); NODE_EXTRA_CA_CERTS=FILE makes it trusted`;
  return null;
}

export function failed(url: URL, what: string, cause?: unknown, status = 0): AppError {
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code ?? null;
  return new AppError("server/failed", `${url.origin}${url.pathname} ${what}`, { url: url.href, status, errno }, cause);
}

export function excerpt(answer: string, key: string | null): string {
  const line = (key === null ? answer : answer.replaceAll(key, "…")).replace(/\s+/g, " ").trim();
  return JSON.stringify(line.length > excerptLength ? `${line.slice(0, excerptLength)}…` : line);
}
