// What differs between the kinds of servers.
import { AppError } from "../../../common/errors.ts";
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
  /** The name to ask for. */
  readonly model: string;
  readonly hasFim: boolean;
}

/** One piece of a streamed answer; what it does not say is undefined. */
export interface Piece {
  readonly text?: string | undefined;
  readonly promptTokens?: number | undefined;
  readonly generatedTokens?: number | undefined;
  /** Tokens up to the end of this piece, from a server that says so with each; of others each text counts as one. */
  readonly tokensSoFar?: number | undefined;
  /** By the server's clock, from when it began with the prompt to the last token of this piece. */
  readonly serverMs?: number | undefined;
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
/** Of tokens, bytes or parameters. */
export const asCount = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
export const asList = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.map(asObject) : []);

/** What servers put where an answer should be. */
export function errorOf(message: JsonObject): string | undefined {
  if (message.error === undefined || message.error === null) return undefined;
  return asText(message.error) ?? asText(asObject(message.error).message) ?? JSON.stringify(message.error);
}

/** By what names an entry of /v1/models goes, its own first. */
export const namesOf = ({ id, aliases }: JsonObject): string[] =>
  [id, ...(Array.isArray(aliases) ? aliases : [])].flatMap((name) => asText(name) ?? []);

/** The model the user named, or a server's only one; of each that a server has, `models` holds the names. */
export function chooseModel({ model, url }: ServerSubject, models: readonly (readonly string[])[]): string {
  const names = models.flatMap(([name]) => name ?? []);
  const [only, ...others] = names;
  const known = names.join(", ");
  const fail = (what: string) => new AppError("server/failed", `${url} ${what}`, { url });
  if (model !== null) {
    // Some servers answer for a model they do not have, with one they have.
    if (only !== undefined && !models.some((each) => each.includes(model)))
      throw fail(`has no model ${model}; it has ${known}`);
    return model;
  }
  if (only !== undefined && others.length === 0) return only;
  const found = only === undefined ? "names no model" : `has several models (${known})`;
  throw fail(`${found}; say which with URL=MODEL`);
}

export const noFim = (why: string): Objection => ({ kind: "refused", message: `cannot fill in the middle: ${why}` });
