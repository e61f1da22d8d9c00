import type http from "node:http";
import net, { type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { GenerationRequest, ServerApi } from "../../../../src/benchmark/subject.ts";
import { createServerSubject } from "../../../../src/benchmark/subjects/serverSubject.ts";
import { request as text } from "../../../support/benchmarkRun.ts";
import {
  type Answer,
  events,
  inPieces,
  json,
  lines,
  type SeenRequest,
  scriptedServer,
} from "../../../support/scriptedServer.ts";

const never = new AbortController().signal;
const fim: GenerationRequest = { ...text, prompt: { kind: "fim", prefix: "def f(", suffix: "):\n" } };

async function opened(api: ServerApi, answers: Record<string, Answer>, model: string | null = null) {
  const server = await scriptedServer(answers);
  const subject = createServerSubject({ kind: "server", id: "s", label: "S", api, url: server.url, model });
  const facts = await subject.open(() => {}, never);
  return { server, subject, facts };
}

const choice = (piece: string, finish: string | null = null, more = {}) => ({
  choices: [{ text: piece, finish_reason: finish, ...more }],
});
const openaiModels = { "/v1/models": json({ data: [{ id: "coder", owned_by: "vllm", max_model_len: 8192 }] }) };
const openai = (stream: Answer) => ({ ...openaiModels, "/v1/completions": stream });
const openaiStream = events([
  choice("dé"),
  choice("f "),
  choice("x", "length"),
  { choices: [], usage: { prompt_tokens: 4, completion_tokens: 3 } },
  "[DONE]",
]);

/** As llama-server of llama.cpp v0.4.0 answers, without fields that nobody reads here. */
const llamaModel = {
  id: "m.gguf",
  aliases: ["m.gguf", "coder"],
  object: "model",
  owned_by: "llamacpp",
  meta: { n_ctx: 4096, n_ctx_train: 8192, n_params: 7e9, size: 4e9, ftype: "Q8_0" },
};
const llamaProps = json({
  default_generation_settings: { params: { temperature: 0.8, top_k: 40 }, n_ctx: 4096 },
  total_slots: 4,
  model_alias: "m.gguf",
  model_ftype: "Q8_0",
  build_info: "b4711-abc",
});
const llamaServer = (stream: Answer): Record<string, Answer> => ({
  "/props?model=m.gguf": llamaProps,
  "/v1/models": json({ object: "list", data: [llamaModel] }),
  "/completion": stream,
  "/infill": (asked: SeenRequest, reply: http.ServerResponse) =>
    asked.body?.stream === false ? json({ index: 0, content: "a", stop: true })(asked, reply) : stream(asked, reply),
});
const llamaPiece = (content: string, tokens: number, more = {}) => ({
  index: 0,
  content,
  tokens: [],
  stop: false,
  id_slot: 0,
  tokens_predicted: tokens,
  tokens_evaluated: 4,
  ...more,
});
const llamaEnd = {
  index: 0,
  content: "",
  stop: true,
  model: "m.gguf",
  tokens_predicted: 2,
  tokens_evaluated: 4,
  truncated: false,
  stop_type: "eos",
  stopping_word: "",
  timings: { cache_n: 0, prompt_n: 4, prompt_ms: 1.5, predicted_n: 2, predicted_ms: 2.5 },
};
const llamaError = (code: number, message: string, type: string): Answer => {
  const body = JSON.stringify({ error: { code, message, type } });
  return (_, reply) => void reply.writeHead(code, { "content-type": "application/json; charset=utf-8" }).end(body);
};

const ollama = (stream: unknown[], capabilities = ["completion", "insert"]): Record<string, Answer> => ({
  "/api/version": json({ version: "0.9.0" }),
  "/api/show": json({
    details: { family: "qwen2", quantization_level: "Q4_K_M" },
    model_info: { "general.architecture": "qwen2", "general.parameter_count": 1.5e9 },
    capabilities,
  }),
  "/api/tags": json({ models: [{ name: "coder:latest", size: 1e9 }] }),
  "/api/ps": json({ models: [{ name: "coder:latest", size: 2e9, size_vram: 1e9 }] }),
  "/api/generate": (asked, reply) =>
    asked.body?.prompt === undefined
      ? json({ model: asked.body?.model, response: "", done: true, done_reason: "load" })(asked, reply)
      : inPieces([lines(stream)])(asked, reply),
});

describe("a server of OpenAI's completions", () => {
  it("is asked for what the request says, and answers with text, counts and times", async () => {
    const { server, subject, facts } = await opened("openai", openai(inPieces([openaiStream])));
    const asked: GenerationRequest = { ...text, maxTokens: 9, stop: ["\n\n"], temperature: 0.2, topP: 0.9, seed: 7 };
    const { totalMs, ttftMs, tokenTimesMs, ...rest } = await subject.generate(asked, never);
    expect(rest).toEqual({
      text: "déf x",
      stopReason: "tokens",
      promptTokens: 4,
      generatedTokens: 3,
      stats: null,
      overlaps: 0,
    });
    expect(tokenTimesMs).toHaveLength(3);
    expect(ttftMs).toBe(tokenTimesMs[0]);
    expect(totalMs).toBeGreaterThanOrEqual(tokenTimesMs[2] ?? Number.NaN);
    expect(server.seen.at(-1)).toEqual({
      path: "/v1/completions",
      body: {
        model: "coder",
        prompt: "def f():",
        max_tokens: 9,
        temperature: 0.2,
        top_p: 0.9,
        frequency_penalty: 0,
        presence_penalty: 0,
        seed: 7,
        stop: ["\n\n"],
        stream: true,
        stream_options: { include_usage: true },
      },
    });
    expect(facts).toMatchObject({ method: "server", server: "vllm", contextLength: 8192, sha256: null });
  });

  it("is understood wherever its answer is split", async () => {
    const bytes = Buffer.from(`: a comment\r\n\r\n${openaiStream}`);
    for (let at = 1; at < bytes.length; at += 3) {
      const { subject } = await opened("openai", openai(inPieces([bytes.subarray(0, at), bytes.subarray(at)])));
      expect(await subject.generate(text, never)).toMatchObject({ text: "déf x", generatedTokens: 3 });
    }
  });

  it("counts the first text as the first token, not an empty piece before it", async () => {
    const late: Answer = async (_, reply) => {
      reply.write(events([choice("")]));
      await new Promise((resolve) => setTimeout(resolve, 30));
      reply.end(events([choice("a", "stop"), "[DONE]"]));
    };
    const { subject } = await opened("openai", openai(late));
    const { ttftMs, tokenTimesMs, stopReason } = await subject.generate(text, never);
    expect(ttftMs).toBeGreaterThan(25);
    expect(tokenTimesMs).toHaveLength(1);
    expect(stopReason).toBeNull();
  });

  it("says when it was a stop string, as vLLM does", async () => {
    const stream = events([choice("a", "stop", { stop_reason: "\ndef" }), "[DONE]"]);
    const { subject } = await opened("openai", openai(inPieces([stream])));
    expect(await subject.generate(text, never)).toMatchObject({ stopReason: "stop" });
  });

  it("is not believed counts that are none", async () => {
    const usage = { choices: [], usage: { prompt_tokens: -5, completion_tokens: 0.5 } };
    const { subject } = await opened("openai", openai(inPieces([events([choice("a", "stop"), usage, "[DONE]"])])));
    expect(await subject.generate(text, never)).toMatchObject({ promptTokens: null, generatedTokens: 1 });
  });

  it("is timed as a whole when it does not stream", async () => {
    const whole = json({ ...choice("a b", "stop"), usage: { prompt_tokens: 4, completion_tokens: 2 } });
    const { subject } = await opened("openai", openai(whole));
    const { ttftMs, totalMs, ...rest } = await subject.generate(text, never);
    expect(rest).toMatchObject({ text: "a b", generatedTokens: 2, promptTokens: 4 });
    expect(totalMs).toBeGreaterThanOrEqual(ttftMs);
  });

  it("is not timed when it sends no text", async () => {
    const { subject } = await opened("openai", openai(inPieces([events([choice("", "stop"), "[DONE]"])])));
    expect(await subject.generate(text, never)).toMatchObject({ text: "", generatedTokens: 0 });
    await expect(subject.generate({ ...text, ignoreEnd: true }, never)).rejects.toMatchObject({
      code: "server/failed",
      message: expect.stringMatching(/answered without any text, so that there is nothing to time$/),
    });
  });

  it("is done when it ends after it has said so, without a last word", async () => {
    const { subject } = await opened("openai", openai(inPieces([events([choice("a", "length")])])));
    expect(await subject.generate(text, never)).toMatchObject({ text: "a", stopReason: "tokens" });
  });

  it.each([
    ["a stop string", { stop: ["\nde"] }, "a b\nc", "stop"],
    ["the second line feed", { maxLines: 2 }, "a b\nc", "lines"],
  ])("is cut at %s, and let go", async (_, rules, expected, stopReason) => {
    const endless: Answer = async (__, reply) => {
      reply.write(events([choice("a b\nc"), choice("\nd"), choice("ef g")]));
    };
    const { subject, server } = await opened("openai", openai(endless));
    expect(await subject.generate({ ...text, ...rules }, never)).toMatchObject({ text: expected, stopReason });
    await server.disconnected;
  });

  it("ends a text at its time limit, and keeps what there is", async () => {
    const slow: Answer = async (_, reply) => void reply.write(events([choice("a")]));
    const { subject } = await opened("openai", openai(slow));
    const generation = await subject.generate({ ...text, timeLimitMs: 60 }, never);
    expect(generation).toMatchObject({ text: "a", stopReason: "time" });
    expect(generation.totalMs).toBeGreaterThanOrEqual(55);
  });

  it("is let go when the request is cancelled", async () => {
    const abort = new AbortController();
    const silent: Answer = async (_, reply) => void reply.write(events([choice("a")]), () => abort.abort());
    const { subject, server } = await opened("openai", openai(silent));
    const generation = subject.generate(text, abort.signal);
    await expect(generation).rejects.toMatchObject({ code: "request/cancelled" });
    await server.disconnected;
  });

  it("refuses to fill in, and cannot promise a length", async () => {
    const { subject } = await opened("openai", openai(inPieces([])));
    expect(subject.objection(fim)).toMatchObject({ kind: "refused" });
    expect(subject.objection({ ...text, ignoreEnd: true })).toMatchObject({ kind: "limited" });
    expect(subject.objection(text)).toBeNull();
  });

  it("wants to know the model where there are several", async () => {
    const models = { "/v1/models": json({ data: [{ id: "a" }, { id: "b" }] }) };
    await expect(opened("openai", models)).rejects.toMatchObject({
      code: "server/failed",
      message: expect.stringContaining("has several models (a, b); say which with URL=MODEL"),
    });
    expect((await opened("openai", models, "b")).facts.server).toBe("OpenAI-compatible");
  });

  it("is not asked for a model that it does not list, as it may answer with another", async () => {
    const models = { "/v1/models": json({ data: [llamaModel] }) };
    await expect(opened("openai", models, "gpt-x")).rejects.toMatchObject({
      code: "server/failed",
      message: expect.stringMatching(/ has no model gpt-x; it has m\.gguf$/),
    });
    expect((await opened("openai", models, "coder")).facts.server).toBe("llamacpp");
    expect((await opened("openai", { "/v1/models": json({ data: [] }) }, "any")).facts.server).toBe(
      "OpenAI-compatible",
    );
  });

  it("is sent four stop strings at most, as its API has it, and is cut at the others", async () => {
    const { server, subject } = await opened("openai", openai(inPieces([events([choice("a\ne b"), choice("c")])])));
    const stop = ["\na", "\nb", "\nc", "\nd", "\ne"];
    expect(await subject.generate({ ...text, stop }, never)).toMatchObject({ text: "a", stopReason: "stop" });
    expect(server.seen.at(-1)?.body).toMatchObject({ stop: stop.slice(0, 4) });
  });

  it("gets its key from the environment, which nobody reads in what it fails with", async () => {
    const refused: Answer = (_, reply) => void reply.writeHead(401).end("wrong key: k-123");
    const server = await scriptedServer(openai(refused));
    const definition = { kind: "server", id: "s", label: "S", url: server.url, model: null } as const;
    const env = { HOTPATH_SERVER_KEY: "k-123" };
    const subject = createServerSubject({ ...definition, api: "openai" }, env);
    const facts = await subject.open(() => {}, never);
    await expect(subject.generate(text, never)).rejects.toMatchObject({
      message: expect.stringMatching(/answered 401 .*: "wrong key: …"$/),
    });
    expect(new Set(server.authorizations)).toEqual(new Set(["Bearer k-123"]));
    expect(JSON.stringify([facts, subject.definition])).not.toContain("k-123");
    const other = createServerSubject({ ...definition, api: "ollama" }, env);
    await expect(other.open(() => {}, never)).rejects.toMatchObject({ code: "server/failed" });
    expect(server.authorizations.at(-1)).toBeUndefined();
  });

  it("may be named with the /v1 of its address", async () => {
    const server = await scriptedServer(openaiModels);
    const definition = {
      kind: "server",
      id: "s",
      label: "S",
      api: "openai",
      url: `${server.url}/v1/`,
      model: null,
    } as const;
    await createServerSubject(definition).open(() => {}, never);
    expect(server.seen[0]?.path).toBe("/v1/models");
  });
});

describe("a server that fails", () => {
  const status =
    (code: number, body: string, headers = {}): Answer =>
    (_, reply) =>
      void reply.writeHead(code, headers).end(body);

  it.each<[string, Answer, RegExp]>([
    ["with a status", status(500, "out\n of  memory"), /answered 500 Internal Server Error: "out of memory"/],
    [
      "with an address elsewhere",
      status(302, "", { location: "http://other.invalid/" }),
      /points to http:\/\/other\.invalid\/, which is not followed/,
    ],
    ["with a page", inPieces(["<html>\nwelcome\n</html>"]), /sent what is not JSON: "<html>"/],
    ["with what is not JSON", inPieces(["data: <html>\n\n"]), /sent what is not JSON: "<html>"/],
    [
      "with an error in the middle",
      inPieces([events([choice("a"), { error: { message: "no memory" } }])]),
      /failed in the middle: "no memory"/,
    ],
    [
      "by leaving in the middle",
      async (_, reply) => void reply.write(events([choice("a")]), () => reply.destroy()),
      /ended the connection in the middle/,
    ],
    [
      "by not ending a text",
      async (_, reply) => {
        const piece = events([choice("a")]);
        while (!reply.destroyed) await new Promise((resolve) => reply.write(piece, resolve));
      },
      /does not end its text, of which 3 tokens were asked for/,
    ],
    [
      "by a text without measure",
      inPieces([events([choice("a".repeat(10_000), "length")])]),
      /does not end its text, of which 3 tokens were asked for/,
    ],
    [
      "by a line without end",
      async (_, reply) => {
        const piece = "a".repeat(1 << 20);
        while (!reply.destroyed) await new Promise((resolve) => reply.write(piece, resolve));
      },
      /sent a line of more than 16777216 characters/,
    ],
    ["by ending too early", inPieces([events([choice("a")])]), /without saying that it is complete/],
  ])("%s is told with what it said", async (_, answer, message) => {
    const { subject } = await opened("openai", openai(answer));
    await expect(subject.generate(text, never)).rejects.toMatchObject({
      code: "server/failed",
      message: expect.stringMatching(message),
    });
  });

  it("by telling more about itself than anybody reads is told", async () => {
    const endless: Answer = async (_, reply) => {
      const piece = "a".repeat(1 << 20);
      while (!reply.destroyed) await new Promise((resolve) => reply.write(piece, resolve));
    };
    await expect(opened("openai", { "/v1/models": endless })).rejects.toMatchObject({
      message: expect.stringMatching(/\/v1\/models answered more than 16777216 characters$/),
    });
  });

  it("by closing connections after an answer is asked over a new one each time", async () => {
    const used = new Set<unknown>();
    const once =
      (answer: Answer): Answer =>
      (asked, reply) => {
        const { socket } = reply.req;
        if (used.has(socket)) return void socket.destroy();
        used.add(socket);
        return answer(asked, reply);
      };
    const { subject, facts } = await opened("openai", {
      "/v1/models": once(openaiModels["/v1/models"]),
      "/version": once(json({ version: "0.11" })),
      "/v1/completions": once(inPieces([openaiStream])),
    });
    expect(facts.server).toBe("vllm 0.11");
    expect(await subject.generate(text, never)).toMatchObject({ text: "déf x" });
  });

  it.each([
    ["is none of HTTP", "http", /does not answer as an HTTP server does \(HPE_\w+\); is it another kind of server\?$/],
    ["does not speak TLS", "https", /does not speak TLS; is its address one of http:\/\/\?$/],
  ])("by being one that %s is told with what it may be", async (_, protocol, message) => {
    const other = net.createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9.2\r\n"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const url = `${protocol}://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const subject = createServerSubject({ kind: "server", id: "s", label: "S", api: "openai", url, model: null });
    await expect(subject.open(() => {}, never)).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });

  it("by not being there is told with its address", async () => {
    const definition = {
      kind: "server",
      id: "s",
      label: "S",
      api: "ollama",
      url: "http://127.0.0.1:9",
      model: null,
    } as const;
    await expect(createServerSubject(definition).open(() => {}, never)).rejects.toMatchObject({
      code: "server/failed",
      message: "http://127.0.0.1:9/api/version is not there (ECONNREFUSED); is it running?",
    });
  });
});

describe("llama-server", () => {
  it("is asked without its cache and its usual filters", async () => {
    const stream = events([llamaPiece("a", 1), llamaPiece("b", 2), llamaEnd]);
    const { server, subject, facts } = await opened("llama-server", llamaServer(inPieces([stream])));
    expect(await subject.generate({ ...text, ignoreEnd: true }, never)).toMatchObject({
      text: "ab",
      stopReason: "end",
      promptTokens: 4,
      generatedTokens: 2,
    });
    expect(server.seen.at(-1)).toEqual({
      path: "/completion",
      body: {
        prompt: "def f():",
        model: "m.gguf",
        n_predict: 3,
        samplers: ["temperature", "top_p"],
        mirostat: 0,
        temperature: 0,
        top_p: 1,
        seed: 1,
        stop: [],
        ignore_eos: true,
        cache_prompt: false,
        timings_per_token: true,
        stream: true,
      },
    });
    expect(facts).toMatchObject({
      server: "llama-server b4711-abc",
      parameterCount: 7e9,
      quantization: "Q8_0",
      fileBytes: 4e9,
      contextLength: 4096,
    });
    expect(subject.objection({ ...text, ignoreEnd: true })).toBeNull();
  });

  it("fills in by its own way, which is told", async () => {
    const { server, subject } = await opened("llama-server", llamaServer(inPieces([events([llamaEnd])])));
    expect(subject.objection(fim)).toMatchObject({ kind: "limited", message: expect.stringContaining("--spm-infill") });
    await subject.generate(fim, never);
    expect(server.seen.at(-1)).toMatchObject({
      path: "/infill",
      body: { input_prefix: "def f(", input_suffix: "):\n", prompt: "" },
    });
  });

  it("times each token, also those that come without text or several at once", async () => {
    const held = [llamaPiece("a", 1), llamaPiece("", 2), llamaPiece("\u20ac b", 5)];
    const stream = events([...held, { ...llamaEnd, tokens_predicted: 6 }]);
    const { subject } = await opened("llama-server", llamaServer(inPieces([stream])));
    const { tokenTimesMs, ttftMs, generatedTokens } = await subject.generate(text, never);
    expect(tokenTimesMs).toHaveLength(6);
    expect(generatedTokens).toBe(6);
    expect(ttftMs).toBe(tokenTimesMs[0]);
    expect(tokenTimesMs[4]).toBe(tokenTimesMs[2]);
  });

  it("is timed by its own clock, as what it sends may come late and at once", async () => {
    const timed = (predicted_ms: number) => ({ timings: { prompt_ms: 40, predicted_ms } });
    const pieces = [llamaPiece("a", 1, timed(0)), llamaPiece("b", 2, timed(10)), llamaPiece("c", 3, timed(30))];
    const late: Answer = async (_, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      reply.end(events([...pieces, { ...llamaEnd, tokens_predicted: 3, ...timed(30) }]));
    };
    const { subject } = await opened("llama-server", llamaServer(late));
    const { tokenTimesMs, ttftMs, totalMs } = await subject.generate(text, never);
    const [first = 0, second = 0, third = 0] = tokenTimesMs;
    expect(tokenTimesMs).toHaveLength(3);
    expect(second - first).toBeCloseTo(10, 6);
    expect(third - second).toBeCloseTo(20, 6);
    expect(first).toBeGreaterThan(40);
    expect(third).toBeLessThanOrEqual(totalMs);
    expect(ttftMs).toBeGreaterThan(95);
  });

  it("is timed by ours when its own clock goes back", async () => {
    const timed = (predicted_ms: number) => ({ timings: { prompt_ms: 0, predicted_ms } });
    const stream = events([llamaPiece("a", 1, timed(9000)), llamaPiece("b", 2, timed(10)), llamaEnd]);
    const { subject } = await opened("llama-server", llamaServer(inPieces([stream])));
    const { tokenTimesMs } = await subject.generate(text, never);
    expect(tokenTimesMs).toEqual(tokenTimesMs.toSorted((a, b) => a - b));
    expect(tokenTimesMs[0]).toBeGreaterThan(0);
  });

  it("has counts, of which none is without measure", async () => {
    const stream = events([llamaPiece("a", 1e15), llamaEnd]);
    const { subject } = await opened("llama-server", llamaServer(inPieces([stream])));
    await expect(subject.generate(text, never)).rejects.toMatchObject({
      message: expect.stringMatching(/does not end its text, of which 3 tokens were asked for$/),
    });
  });

  it("has counted prompt and text when it is cut short", async () => {
    const endless: Answer = (_, reply) =>
      void reply.write(events([llamaPiece("", 1), llamaPiece("a", 2), llamaPiece("\nb", 3)]));
    const { server, subject } = await opened("llama-server", llamaServer(endless));
    expect(await subject.generate({ ...text, maxLines: 1 }, never)).toMatchObject({
      text: "a",
      stopReason: "lines",
      promptTokens: 4,
      generatedTokens: 3,
    });
    await server.disconnected;
  });

  it("is given the key, and what it says without one is told with where a key goes", async () => {
    const unauthorized = llamaError(401, "Invalid API Key", "authentication_error");
    const keyed: Answer = (asked, reply) =>
      (reply.req.headers.authorization === "Bearer k-123" ? json({ data: [llamaModel] }) : unauthorized)(asked, reply);
    const server = await scriptedServer({ ...llamaServer(inPieces([])), "/v1/models": keyed });
    const definition = {
      kind: "server",
      id: "s",
      label: "S",
      api: "llama-server",
      url: server.url,
      model: null,
    } as const;
    await createServerSubject(definition, { HOTPATH_SERVER_KEY: "k-123" }).open(() => {}, never);
    await expect(createServerSubject(definition, {}).open(() => {}, never)).rejects.toMatchObject({
      code: "server/failed",
      message: `${server.url}/v1/models answered 401 Unauthorized: "Invalid API Key"; a key for openai or llama-server goes into the environment, HOTPATH_SERVER_KEY`,
    });
  });

  it("of several models loads the one that is named, and tells about that one", async () => {
    const data = [{ id: "small", meta: { n_params: 1e9 } }, llamaModel];
    const several = { ...llamaServer(inPieces([events([llamaEnd])])), "/v1/models": json({ data }) };
    await expect(opened("llama-server", several)).rejects.toThrow("has several models (small, m.gguf)");
    await expect(opened("llama-server", several, "large")).rejects.toThrow("has no model large");
    const { server, subject, facts } = await opened("llama-server", several, "m.gguf");
    expect(facts.parameterCount).toBe(7e9);
    await subject.generate(text, never);
    expect(server.seen.at(-1)?.body).toMatchObject({ model: "m.gguf" });
  });

  it.each([
    [{ stop_type: "limit" }, "tokens"],
    [{ stop_type: "word" }, "stop"],
    [{ stop_type: undefined, stopped_limit: true }, "tokens"],
    [{ stop_type: undefined, stopped_eos: true }, "end"],
    [{ stop_type: undefined }, null],
  ])("says by %j why a text ended", async (end, stopReason) => {
    const { subject } = await opened("llama-server", llamaServer(inPieces([events([{ ...llamaEnd, ...end }])])));
    expect(await subject.generate(text, never)).toMatchObject({ stopReason });
  });
});

describe("llama-server without fill-in-the-middle", () => {
  const unsupported = llamaError(
    501,
    "Infill is not supported by this model: prefix token is missing. ",
    "not_supported_error",
  );

  it("is found out when it is opened, so that it is asked for plain text", async () => {
    const { subject } = await opened("llama-server", { ...llamaServer(json({})), "/infill": unsupported });
    expect(subject.objection(fim)).toMatchObject({ kind: "refused", message: expect.stringContaining("/infill") });
    expect(subject.objection(text)).toBeNull();
  });

  it("is not taken for one that fails", async () => {
    const failing = llamaError(503, "Loading model", "unavailable_error");
    const answers = { ...llamaServer(json({})), "/infill": failing };
    await expect(opened("llama-server", answers)).rejects.toMatchObject({
      code: "server/failed",
      message: expect.stringMatching(/\/infill answered 503 Service Unavailable: "Loading model"$/),
    });
  });
});

describe("Ollama", () => {
  const stream = [
    { response: "a", done: false },
    { response: "b", done: false },
    { response: "", done: true, done_reason: "length", prompt_eval_count: 4, eval_count: 2 },
  ];

  it("loads the model, tells about it, and is asked without its template", async () => {
    const { server, subject, facts } = await opened("ollama", ollama(stream));
    expect(await subject.generate(text, never)).toMatchObject({
      text: "ab",
      stopReason: "tokens",
      promptTokens: 4,
      generatedTokens: 2,
    });
    expect(server.seen.at(-1)?.body).toMatchObject({
      model: "coder:latest",
      prompt: "def f():",
      raw: true,
      stream: true,
      options: { num_predict: 3, temperature: 0, top_k: 0, repeat_penalty: 1, presence_penalty: 0, seed: 1 },
    });
    expect(facts).toMatchObject({
      server: "Ollama 0.9.0",
      architecture: "qwen2",
      parameterCount: 1.5e9,
      quantization: "Q4_K_M",
      fileBytes: 1e9,
      fitsInVram: false,
      placement: "50 % on GPU",
    });
  });

  it("fills in by the template, where it has a place for it", async () => {
    const { server, subject } = await opened("ollama", ollama(stream));
    expect(subject.objection(fim)).toBeNull();
    await subject.generate(fim, never);
    expect(server.seen.at(-1)?.body).toMatchObject({ prompt: "def f(", suffix: "):\n" });
    expect(server.seen.at(-1)?.body).not.toHaveProperty("raw");
    const without = await opened("ollama", ollama(stream, ["completion"]));
    expect(without.subject.objection(fim)).toMatchObject({ kind: "refused" });
  });

  it("fills in also where nothing comes after, of which its template would make a chat", async () => {
    const { server, subject } = await opened("ollama", ollama(stream));
    await subject.generate({ ...fim, prompt: { kind: "fim", prefix: "def f(", suffix: "" } }, never);
    expect(server.seen.at(-1)?.body).toMatchObject({ prompt: "def f(", suffix: "\n" });
  });

  it("cannot be kept from ending a text early", async () => {
    const { subject } = await opened("ollama", ollama(stream));
    expect(subject.objection({ ...text, ignoreEnd: true })).toMatchObject({ kind: "limited" });
  });

  it("tells of an error in its stream", async () => {
    const { subject } = await opened("ollama", ollama([{ error: "model runner has stopped" }]));
    await expect(subject.generate(text, never)).rejects.toThrow("model runner has stopped");
  });
});
