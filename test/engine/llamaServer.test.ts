// Our clients against the real llama-server, beside our own engine on the same file and the same prompts.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RecordEntry } from "../../src/benchmark/record/entries.ts";
import type { GenerationRequest, ServerApi } from "../../src/benchmark/subject.ts";
import { EngineSubject } from "../../src/benchmark/subjects/engineSubject.ts";
import { modelSubject, serverSubject } from "../../src/benchmark/subjects/naming.ts";
import { createServerSubject } from "../../src/benchmark/subjects/serverSubject.ts";
import type { ModelSpec } from "../../src/protocol/model.ts";
import { type EngineSandbox, engineSandbox, starter } from "../support/engineSandbox.ts";
import { type LlamaServer, llamaServerProgram, needsLlamaServer, startLlamaServer } from "../support/llamaServer.ts";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";

const never = new AbortController().signal;
const key = "k-123";
/** Filters that somebody likes for chats; a benchmark must not be answered by them. OpenAI's API can put off these two. */
const filters = ["--presence-penalty", "1.5", "--frequency-penalty", "1.5"];

let server: LlamaServer;
let sandbox: EngineSandbox;
beforeAll(async () => {
  // What it takes from its cache is rounded in another way, which a greedy text may show. Only its own API can ask for none.
  const args = ["--api-key", key, "--no-cache-prompt", ...filters];
  if (llamaServerProgram !== "") server = await startLlamaServer(starter.path, ...args);
});
afterAll(() => server?.end());
beforeEach((context) => {
  needsLlamaServer(context);
  sandbox = engineSandbox();
  return () => sandbox.end();
});

async function opened(api: ServerApi, env: NodeJS.ProcessEnv = { HOTPATH_SERVER_KEY: key }, url = server.url) {
  const subject = createServerSubject(serverSubject(api, url, null), env);
  const facts = await subject.open(() => {}, never);
  return { subject, facts };
}

async function ours(mode: "dense" | "exact", file = starter.path) {
  const spec: ModelSpec = { ...starter, path: file, mode };
  const subject = new EngineSubject({
    definition: modelSubject(spec),
    spec,
    engine: sandbox.client(),
    hash: async () => "",
  });
  await subject.open(() => {}, never);
  return subject;
}

const question: GenerationRequest = {
  prompt: { kind: "text", text: "" },
  maxTokens: 48,
  maxLines: 0,
  stop: [],
  temperature: 0,
  topP: 1,
  seed: 1,
  ignoreEnd: false,
  timeLimitMs: 0,
};
const asking = (text: string, more: Partial<GenerationRequest> = {}): GenerationRequest => ({
  ...question,
  prompt: { kind: "text", text },
  ...more,
});

const requests: readonly GenerationRequest[] = [
  asking("import os\n\ndef read(path):\n"),
  asking("def is_even(n):\n    return", { stop: ["\ndef", "\nclass"] }),
  asking("class Point:\n    def __init__(self, x, y):\n        self.x = x\n", { maxLines: 1 }),
];

const middles = [
  {
    prefix: "class Rectangle:\n    def __init__(self, width, height):\n        self.width = width\n        self",
    suffix: "\n\n    def area(self):\n        return self.width * self.height\n",
  },
  { prefix: "def area(w, h):\n    a = w * h\n    return", suffix: "\n\ndef main():\n    pass\n" },
];

describe("the real llama-server", () => {
  it("gives the texts of our engine, dense and exact, with the same counts and ends", async () => {
    const { subject, facts } = await opened("llama-server");
    expect(facts).toMatchObject({ server: expect.stringMatching(/^llama-server b/), parameterCount: 4_983_040 });
    const [dense, exact] = [await ours("dense"), await ours("exact")];
    for (const request of requests) {
      const { text, stopReason, promptTokens, generatedTokens } = await subject.generate(request, never);
      const expected = { text, stopReason, promptTokens, generatedTokens };
      expect(await dense.generate(request, never)).toMatchObject(expected);
      expect(await exact.generate(request, never)).toMatchObject(expected);
    }
  });

  it("gives them as a server of OpenAI's completions too", async () => {
    const { subject, facts } = await opened("openai");
    expect(facts).toMatchObject({ server: "llamacpp" });
    const dense = await ours("dense");
    for (const request of requests) {
      const { text } = await subject.generate(request, never);
      expect(await dense.generate(request, never)).toMatchObject({ text });
    }
  });

  it("fills in the line of our engine, where it is asked in the model's own order", async () => {
    const { subject } = await opened("llama-server");
    const [dense, exact] = [await ours("dense"), await ours("exact")];
    for (const { prefix, suffix } of middles) {
      const written = `<|fim_prefix|><|fim_suffix|>${suffix}<|fim_middle|>${prefix}`;
      const { text } = await subject.generate(asking(written, { maxLines: 1 }), never);
      const request: GenerationRequest = { ...question, maxLines: 1, prompt: { kind: "fim", prefix, suffix } };
      expect(await dense.generate(request, never)).toMatchObject({ text });
      expect(await exact.generate(request, never)).toMatchObject({ text });
    }
  });

  it("fills in by a prompt of its own, of which it is told", async () => {
    const { subject } = await opened("llama-server");
    for (const middle of middles) {
      const request: GenerationRequest = { ...question, prompt: { kind: "fim", ...middle } };
      expect(subject.objection(request)).toMatchObject({ kind: "limited" });
      const { tokenTimesMs, generatedTokens } = await subject.generate(request, never);
      expect(tokenTimesMs).toHaveLength(generatedTokens);
    }
  });

  it("tells the time of every token of a forced length", async () => {
    const { subject } = await opened("llama-server");
    const request = asking("import os\n".repeat(20), { maxTokens: 100, ignoreEnd: true });
    const { tokenTimesMs, ttftMs, totalMs, generatedTokens } = await subject.generate(request, never);
    expect(generatedTokens).toBe(100);
    expect(tokenTimesMs).toHaveLength(100);
    expect(tokenTimesMs).toEqual([...tokenTimesMs].sort((a, b) => a - b));
    expect(ttftMs).toBeGreaterThanOrEqual(tokenTimesMs[0] ?? Number.POSITIVE_INFINITY);
    expect(totalMs).toBeGreaterThanOrEqual(tokenTimesMs[99] ?? Number.POSITIVE_INFINITY);
  });

  it("is free again soon after a text was cut at its first line", async () => {
    const { subject } = await opened("llama-server");
    const cut = await subject.generate({ ...long, maxLines: 1 }, never);
    expect(cut).toMatchObject({ stopReason: "lines", promptTokens: expect.any(Number) });
    await expect.poll(async () => (await slots(server)).some(({ is_processing }) => is_processing)).toBe(false);
    expect(Math.max(...(await slots(server)).map(decoded))).toBeLessThan(long.maxTokens / 2);
  });

  it("is missed when it ends in the middle of its answer", async () => {
    const mortal = await startLlamaServer(starter.path);
    const { subject } = await opened("llama-server", {}, mortal.url);
    const answer = subject.generate(long, never);
    answer.catch(() => undefined); // Looked at below.
    await expect.poll(async () => (await slots(mortal)).some((slot) => decoded(slot) > 3), { interval: 5 }).toBe(true);
    await mortal.end();
    await expect(answer).rejects.toMatchObject({
      code: "server/failed",
      message: `${mortal.url}/completion ended the connection in the middle of its answer`,
    });
  });

  it.each<[string, ServerApi, NodeJS.ProcessEnv, RegExp]>([
    ["no key", "llama-server", {}, /answered 401 Unauthorized: "Invalid API Key"; a key .* HOTPATH_SERVER_KEY$/],
    ["a wrong key", "openai", { HOTPATH_SERVER_KEY: "other" }, /answered 401 Unauthorized: "Invalid API Key"$/],
  ])("refuses %s", async (_, api, env, message) => {
    await expect(opened(api, env)).rejects.toMatchObject({
      code: "server/failed",
      message: expect.stringMatching(message),
    });
  });

  it.each<ServerApi>(["llama-server", "openai"])("is not asked as %s for a model it does not have", async (api) => {
    const subject = createServerSubject(serverSubject(api, server.url, "gpt-x"), { HOTPATH_SERVER_KEY: key });
    await expect(subject.open(() => {}, never)).rejects.toThrow(`has no model gpt-x; it has ${starter.path}`);
  });

  it("says what does not fit in its context", async () => {
    const { subject } = await opened("llama-server");
    await expect(subject.generate(asking("import os\n".repeat(800)), never)).rejects.toThrow(
      /answered 400 Bad Request: "request \(\d+ tokens\) exceeds the available context size \(1024 tokens\)/,
    );
  });

  it("is measured by hotpath bench beside our own modes", async () => {
    const out = path.join(temporaryFolder(), "run");
    const models = ["--model", starter.path, "--mode", "dense,exact", "--device", "cpu", "--threads", "1"];
    const servers = ["--server", `${server.url}#llama-server`, "--server", server.url];
    const suites = ["--suite", "latency", "--limit", "1", "--repetitions", "1"];
    const ended = await run("bench", "--out", out, ...models, ...servers, ...suites);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const lines = readFileSync(path.join(out, "record.jsonl"), "utf8").trimEnd().split("\n");
    const entries: RecordEntry[] = lines.map((line) => JSON.parse(line));
    const measured = entries.filter((entry) => entry.type === "output" && !entry.isWarmUp);
    expect(measured).toHaveLength(4);
    expect(measured).toEqual(
      measured.map(() => expect.objectContaining({ generatedTokens: 100, stopReason: "tokens" })),
    );
  });
});

const long = asking("import os\n".repeat(20), { maxTokens: 800, ignoreEnd: true });

interface Slot {
  readonly is_processing: boolean;
  readonly next_token?: readonly { readonly n_decoded: number }[];
}

const decoded = ({ next_token }: Slot) => next_token?.[0]?.n_decoded ?? 0;

async function slots({ url }: LlamaServer): Promise<Slot[]> {
  return (await fetch(`${url}/slots`, { headers: { authorization: `Bearer ${key}` } })).json() as Promise<Slot[]>;
}

async function run(...args: string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const cli = path.join(root, "dist", "cli.js");
  const env = { ...sandbox.env, HOTPATH_DATA_DIR: temporaryFolder(), HOTPATH_SERVER_KEY: key };
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}
