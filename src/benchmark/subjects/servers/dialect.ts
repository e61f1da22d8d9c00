// What differs between the kinds of servers.
import type { StopReason } from "../../../protocol/model.ts";
import type { GenerationRequest, Objection, ServerSubject, SubjectFacts } from "../../subject.ts";

/** Asks a server at a path below its address. */
export type Ask = (path: string, body: object | null) => Promise<unknown>;

/** What a server tells about itself and its model, and what it was found able to do. */
export interface ServerFacts
  extends Pick<
    SubjectFacts,
    "architecture" | "parameterCount" | "quantization" | "fileBytes" | "contextLength" | "placement" | "fitsInVram"
  > {
  readonly server: string;
  readonly loadMs: number | null;
  /** The name to ask for; null: this kind of server is not asked for one. */
  readonly model: string | null;
  readonly hasFim: boolean;
}

/** One piece of a streamed answer; what it does not say is undefined. */
export interface Piece {
  readonly text?: string | undefined;
  readonly promptTokens?: number | undefined;
  readonly generatedTokens?: number | undefined;
  /** Why the text ended; null: it ended, and the server does not say why. */
  readonly stopReason?: StopReason | null | undefined;
  /** What went wrong. */
  readonly error?: string | undefined;
  /** Nothing comes after it. */
  readonly isLast?: boolean | undefined;
}

export interface Dialect {
  readonly framing: "events" | "lines";
  open(server: ServerSubject, ask: Ask): Promise<ServerFacts>;
  objection(request: GenerationRequest, facts: ServerFacts): Objection | null;
  /** Where a request goes and what is sent. */
  call(request: GenerationRequest, facts: ServerFacts): { readonly path: string; readonly body: object };
  /** Data of one event or line. Throws on what is not JSON. */
  read(data: string): Piece;
}

export type JsonObject = { readonly [name: string]: unknown };

export const asObject = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null ? (value as JsonObject) : {};
export const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
export const asNumber = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;
export const asList = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.map(asObject) : []);

/** What servers put where an answer should be. */
export function errorOf(message: JsonObject): string | undefined {
  if (message.error === undefined || message.error === null) return undefined;
  return asText(message.error) ?? asText(asObject(message.error).message) ?? JSON.stringify(message.error);
}

export const noFim = (why: string): Objection => ({ kind: "refused", message: `cannot fill in the middle: ${why}` });
