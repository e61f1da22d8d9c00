// Ollama's /api/generate.
import type { GenerationRequest, ServerSubject } from "../../subject.ts";
import {
  type Ask,
  asCount,
  asList,
  asObject,
  asText,
  chooseModel,
  type Dialect,
  errorOf,
  namesOf,
  noFim,
  type Piece,
} from "./dialect.ts";

/** The same for all, or Ollama would load the model again for each; it is what the engine takes by itself. */
const contextLength = 4096;
const keepAlive = "30m";

export const ollama: Dialect = {
  framing: "lines",

  async open(server, ask) {
    const version = asText(asObject(await ask("api/version", null)).version) ?? "?";
    const model = server.model ?? (await onlyModel(server, ask));
    const shown = asObject(await ask("api/show", { model }));
    const details = asObject(shown.details);
    const info = asObject(shown.model_info);
    // A request without a prompt loads the model and answers when it is there.
    const options = { num_ctx: contextLength };
    await ask("api/generate", { model, keep_alive: keepAlive, stream: false, options });
    const running = asList(asObject(await ask("api/ps", null)).models).find(({ name }) => isSameName(name, model));
    const [bytes, vramBytes] = [asCount(running?.size), asCount(running?.size_vram)];
    return {
      server: `Ollama ${version}`,
      model,
      architecture: asText(info["general.architecture"]) ?? asText(details.family) ?? null,
      parameterCount: asCount(info["general.parameter_count"]) ?? null,
      quantization: asText(details.quantization_level) ?? null,
      fileBytes: await fileBytesOf(model, ask),
      contextLength,
      placement: bytes && vramBytes !== undefined ? `${Math.round((100 * vramBytes) / bytes)} % on GPU` : null,
      fitsInVram: bytes && vramBytes ? vramBytes >= bytes : null,
      hasFim: Array.isArray(shown.capabilities) && shown.capabilities.includes("insert"),
    };
  },

  objection({ prompt, ignoreEnd }, { hasFim, model }) {
    if (prompt.kind === "fim" && !hasFim) return noFim(`Ollama's template of ${model} has no place for a suffix`);
    if (!ignoreEnd) return null;
    return { kind: "limited", message: "cannot be kept from ending a text early: Ollama has no option for it" };
  },

  call(request, { model }) {
    // Raw leaves the template out, by which alone a suffix gets into the prompt. Of an empty one the template would make a
    // chat: where nothing comes after the cursor, the end of its line does.
    const { prompt } = request;
    const asked =
      prompt.kind === "text"
        ? { prompt: prompt.text, raw: true }
        : { prompt: prompt.prefix, suffix: prompt.suffix || "\n" };
    return {
      path: "api/generate",
      body: { model, ...asked, stream: true, keep_alive: keepAlive, options: settings(request) },
    };
  },

  read(data): Piece {
    const message = asObject(JSON.parse(data));
    const text = asText(message.response);
    if (message.done !== true) return { error: errorOf(message), text };
    return {
      text,
      // "stop" stands for the end of the text and for a stop string.
      stopReason: message.done_reason === "length" ? "tokens" : null,
      promptTokens: asCount(message.prompt_eval_count),
      generatedTokens: asCount(message.eval_count),
      isLast: true,
    };
  },
};

/** Its usual filters (top-k 40, repeat penalty) and the model's own are off: only what the request names shapes the text. */
function settings({ maxTokens, temperature, topP, seed, stop }: GenerationRequest): object {
  return {
    num_ctx: contextLength,
    num_predict: maxTokens,
    temperature,
    top_p: topP,
    top_k: 0,
    min_p: 0,
    repeat_penalty: 1,
    frequency_penalty: 0,
    presence_penalty: 0,
    seed,
    stop,
  };
}

async function onlyModel(server: ServerSubject, ask: Ask): Promise<string> {
  const models = asList(asObject(await ask("api/tags", null)).models);
  return chooseModel(
    server,
    models.map(({ name }) => namesOf({ id: name })),
  );
}

async function fileBytesOf(model: string, ask: Ask): Promise<number | null> {
  const tags = asList(asObject(await ask("api/tags", null)).models);
  return asCount(tags.find(({ name }) => isSameName(name, model))?.size) ?? null;
}

/** "qwen" is short for "qwen:latest". */
function isSameName(name: unknown, model: string): boolean {
  return name === model || name === `${model}:latest`;
}
