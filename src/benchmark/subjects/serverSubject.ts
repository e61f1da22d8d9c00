// A server of somebody else as a subject, so that what people use today is measured in the same run.
import { isCancelled } from "../../common/errors.ts";
import type { StopReason } from "../../protocol/model.ts";
import type {
  Generation,
  GenerationRequest,
  Objection,
  OnOpening,
  ServerApi,
  ServerSubject,
  Subject,
  SubjectFacts,
} from "../subject.ts";
import type { Dialect, Piece, ServerFacts } from "./servers/dialect.ts";
import { eventData, objectLines } from "./servers/framing.ts";
import { excerpt, failed, requestJson, requestLines } from "./servers/http.ts";
import { llamaServer } from "./servers/llamaServer.ts";
import { ollama } from "./servers/ollama.ts";
import { openai } from "./servers/openai.ts";
import { TextRules } from "./servers/textRules.ts";

const dialects: Readonly<Record<ServerApi, Dialect>> = { openai, "llama-server": llamaServer, ollama };

/** Servers that may want a key get the one in HOTPATH_SERVER_KEY, which stands neither in the plan nor in the record. */
export function createServerSubject(definition: ServerSubject, env: NodeJS.ProcessEnv = process.env): Subject {
  const key = definition.api === "ollama" ? undefined : env.HOTPATH_SERVER_KEY;
  return new MeasuredServer(definition, key || null);
}

class MeasuredServer implements Subject {
  readonly definition: ServerSubject;
  readonly #dialect: Dialect;
  readonly #key: string | null;
  #facts: ServerFacts | undefined;

  constructor(definition: ServerSubject, key: string | null) {
    this.definition = definition;
    this.#key = key;
    this.#dialect = dialects[definition.api];
  }

  async open(onProgress: OnOpening, signal: AbortSignal): Promise<SubjectFacts> {
    onProgress(`Asking ${this.definition.url}`, 0);
    const ask = (path: string, body: object | null) => requestJson(this.#url(path), { body, signal, key: this.#key });
    this.#facts = await this.#dialect.open(this.definition, ask);
    const { model: _, hasFim: __, ...known } = this.#facts;
    return {
      ...known,
      method: "server",
      sha256: null,
      mode: null,
      modeReason: null,
      threads: null,
      loadMs: null,
      residentBytes: null,
      gpuMemory: null,
      kvBytes: null,
      hot: null,
    };
  }

  objection(request: GenerationRequest): Objection | null {
    return this.#dialect.objection(request, this.#opened());
  }

  async generate(request: GenerationRequest, signal: AbortSignal): Promise<Generation> {
    const { path, body } = this.#dialect.call(request, this.#opened());
    const url = this.#url(path);
    const limit = new AbortController();
    const timer = request.timeLimitMs > 0 ? setTimeout(() => limit.abort(), request.timeLimitMs) : undefined;
    const answer = new Answer(request);
    try {
      for await (const piece of this.#pieces(url, body, AbortSignal.any([signal, limit.signal]))) {
        if (piece.error !== undefined) throw failed(url, `failed in the middle: ${excerpt(piece.error, this.#key)}`);
        if (!answer.add(piece))
          throw failed(url, `does not end its text, of which ${request.maxTokens} tokens were asked for`);
        if (answer.isComplete) break;
      }
    } catch (error) {
      // The time limit ends a text, as in the engine; only the caller's signal cancels it.
      if (!(isCancelled(error) && limit.signal.aborted && !signal.aborted)) throw error;
      answer.endByTime();
    } finally {
      clearTimeout(timer);
    }
    if (!answer.isComplete && !answer.endByClose())
      throw failed(url, "ended its answer without saying that it is complete");
    const generation = answer.generation();
    if (request.ignoreEnd && generation.generatedTokens === 0)
      throw failed(url, "answered without any text, so that there is nothing to time");
    return generation;
  }

  async unload(): Promise<void> {
    // What a server keeps in memory is its own affair.
  }

  async close(): Promise<void> {
    this.#facts = undefined;
  }

  async *#pieces(url: URL, body: object, signal: AbortSignal): AsyncGenerator<Piece, void, undefined> {
    const lines = requestLines(url, { body, signal, key: this.#key });
    const messages = this.#dialect.framing === "events" ? eventData(lines) : objectLines(lines);
    for await (const message of messages) {
      let piece: Piece;
      try {
        piece = this.#dialect.read(message);
      } catch (error) {
        throw failed(url, `sent what is not JSON: ${excerpt(message, this.#key)}`, error);
      }
      yield piece;
    }
  }

  #opened(): ServerFacts {
    if (!this.#facts) throw new Error(`${this.definition.id} is not open`);
    return this.#facts;
  }

  /** Users type the address with or without the "/v1" that some tools want in it. */
  #url(path: string): URL {
    return new URL(path, `${this.definition.url.replace(/(\/v1)?\/*$/, "")}/`);
  }
}

/** Some servers send less than a token at a time, and the longest tokens are lines of blanks. */
const mostPiecesPerToken = 20;
const mostCharactersPerToken = 1000;

/** An answer as it comes, on the client's clock. */
class Answer {
  readonly #startedMs = performance.now();
  readonly #maxTokens: number;
  readonly #rules: TextRules;
  /** Of each token, when its piece came and, by the server's clock, when it was there. */
  readonly #timesMs: number[] = [];
  readonly #serverTimesMs: (number | undefined)[] = [];
  #firstTextMs: number | null = null;
  #promptTokens: number | null = null;
  #generatedTokens: number | null = null;
  /** undefined: the text goes on. */
  #stopReason: StopReason | null | undefined;
  #endMs = 0;
  isComplete = false;

  constructor(request: GenerationRequest) {
    this.#maxTokens = request.maxTokens;
    this.#rules = new TextRules(request);
  }

  /** False: it is far longer than what was asked for. */
  add({ text, promptTokens, generatedTokens, tokensSoFar, serverMs, stopReason, isLast }: Piece): boolean {
    const ms = performance.now() - this.#startedMs;
    const tokens = tokensSoFar ?? this.#timesMs.length + (text ? 1 : 0);
    if (tokens > mostPiecesPerToken * this.#maxTokens) return false;
    while (this.#timesMs.length < tokens) {
      this.#timesMs.push(ms);
      this.#serverTimesMs.push(serverMs);
    }
    if (text) {
      this.#firstTextMs ??= ms;
      this.#rules.add(text);
    }
    this.#promptTokens = promptTokens ?? this.#promptTokens;
    this.#generatedTokens = generatedTokens ?? this.#generatedTokens;
    if (stopReason !== undefined) this.#stopReason = stopReason;
    if (this.#rules.end) this.#complete(this.#rules.end);
    else if (isLast) this.#complete(this.#stopReason ?? null);
    return this.#rules.text.length <= mostCharactersPerToken * this.#maxTokens;
  }

  /** True when the server had said that the text was over. */
  endByClose(): boolean {
    if (this.#stopReason !== undefined) this.#complete(this.#stopReason);
    return this.isComplete;
  }

  endByTime(): void {
    this.#complete("time");
  }

  generation(): Generation {
    return {
      text: this.#rules.text,
      stopReason: this.#stopReason ?? null,
      promptTokens: this.#promptTokens,
      // Most servers count at the end only, which one that is cut short does not come to.
      generatedTokens: this.#generatedTokens ?? this.#timesMs.length,
      ttftMs: this.#firstTextMs ?? this.#endMs,
      totalMs: this.#endMs,
      tokenTimesMs: bestTimes(this.#timesMs, this.#serverTimesMs),
      stats: null,
      overlaps: 0,
    };
  }

  #complete(reason: StopReason | null): void {
    this.isComplete = true;
    this.#stopReason = reason;
    this.#endMs = performance.now() - this.#startedMs;
  }
}

/**
 * Pieces wait on their way here, the longer the busier this machine is: what a server says of its tokens is taken instead
 * where it says it, and put on our clock by the piece that waited least.
 */
function bestTimes(arrivedMs: readonly number[], serverMs: readonly (number | undefined)[]): readonly number[] {
  const times = serverMs.filter((ms) => ms !== undefined);
  if (times.length < arrivedMs.length) return arrivedMs;
  const delayMs = Math.min(...arrivedMs.map((ms, token) => ms - (times[token] ?? 0)));
  const own = times.map((ms) => ms + delayMs);
  // A clock that goes back tells nothing.
  return own.every((ms, token) => ms >= (own[token - 1] ?? 0)) ? own : arrivedMs;
}
