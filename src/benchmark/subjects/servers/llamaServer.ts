// llama-server of llama.cpp: its own /completion and /infill.
import { toAppError } from "../../../common/errors.ts";
import type { StopReason } from "../../../protocol/model.ts";
import type { GenerationRequest } from "../../subject.ts";
import {
  type Ask,
  asList,
  asNumber,
  asObject,
  asText,
  type Dialect,
  errorOf,
  type JsonObject,
  noFim,
  type Piece,
} from "./dialect.ts";

export const llamaServer: Dialect = {
  framing: "events",

  async open(_, ask) {
    const props = asObject(await ask("props", null));
    const models = asList(asObject(await ask("v1/models", null).catch(() => null)).data);
    const meta = asObject(models[0]?.meta);
    const build = asText(props.build_info);
    return {
      server: build === undefined ? "llama-server" : `llama-server ${build}`,
      model: null,
      architecture: null,
      parameterCount: asNumber(meta.n_params) ?? null,
      quantization: asText(props.model_ftype) ?? null,
      fileBytes: asNumber(meta.size) ?? null,
      contextLength: asNumber(asObject(props.default_generation_settings).n_ctx) ?? null,
      placement: null,
      fitsInVram: null,
      loadMs: null,
      hasFim: await canFillIn(ask),
    };
  },

  objection({ prompt }, { hasFim }) {
    return prompt.kind === "fim" && !hasFim ? noFim("its model has no tokens for it, as /infill says") : null;
  },

  call(request) {
    const { prompt } = request;
    if (prompt.kind === "text") return { path: "completion", body: { prompt: prompt.text, ...settings(request) } };
    const { prefix, suffix } = prompt;
    return { path: "infill", body: { input_prefix: prefix, input_suffix: suffix, prompt: "", ...settings(request) } };
  },

  read(data): Piece {
    if (data === "[DONE]") return { isLast: true };
    const message = asObject(JSON.parse(data));
    const text = asText(message.content);
    if (message.stop !== true) return { error: errorOf(message), text };
    return {
      text,
      stopReason: stopReasonOf(message),
      promptTokens: asNumber(message.tokens_evaluated),
      generatedTokens: asNumber(message.tokens_predicted),
      isLast: true,
    };
  },
};

/** Nothing it tells of a model says so: it is asked for one token. */
async function canFillIn(ask: Ask): Promise<boolean> {
  try {
    await ask("infill", { input_prefix: "a", input_suffix: "b", prompt: "", n_predict: 1, stream: false });
    return true;
  } catch (error) {
    const { status } = toAppError(error).details;
    // 501 where the model lacks the tokens; 404 where the server is older than the way.
    if (status === 501 || status === 404) return false;
    throw error;
  }
}

/** Its usual filters (top-k 40, min-p 0.05, in some releases a repeat penalty) are switched off: only what the request names shapes the text. */
function settings({ maxTokens, temperature, topP, seed, stop, ignoreEnd }: GenerationRequest): object {
  return {
    n_predict: maxTokens,
    temperature,
    top_p: topP,
    top_k: 0,
    min_p: 0,
    repeat_penalty: 1,
    seed,
    stop,
    ignore_eos: ignoreEnd,
    cache_prompt: false,
    stream: true,
  };
}

const stopTypes: Readonly<Record<string, StopReason>> = { eos: "end", limit: "tokens", word: "stop" };

/** Older servers say it by three flags. */
function stopReasonOf(message: JsonObject): StopReason | null {
  const named = stopTypes[asText(message.stop_type) ?? ""];
  if (named) return named;
  if (message.stopped_eos === true) return "end";
  if (message.stopped_limit === true) return "tokens";
  return message.stopped_word === true ? "stop" : null;
}
