// llama-server of llama.cpp: its own /completion and /infill.
import { toAppError } from "../../../common/errors.ts";
import type { StopReason } from "../../../protocol/model.ts";
import type { GenerationRequest } from "../../subject.ts";
import {
  type Ask,
  asCount,
  asList,
  asNumber,
  asObject,
  asText,
  chooseModel,
  type Dialect,
  errorOf,
  type JsonObject,
  namesOf,
  noFim,
  type Piece,
} from "./dialect.ts";

export const llamaServer: Dialect = {
  framing: "events",

  async open(server, ask) {
    const model = chooseModel(server, (await modelsOf(ask)).map(namesOf));
    // A server of several models loads the one that is asked about, and tells more of it then.
    const props = asObject(await ask(`props?model=${encodeURIComponent(model)}`, null));
    const meta = asObject((await modelsOf(ask)).find((entry) => namesOf(entry).includes(model))?.meta);
    const build = asText(props.build_info);
    return {
      server: build === undefined ? "llama-server" : `llama-server ${build}`,
      model,
      architecture: null,
      parameterCount: asCount(meta.n_params) ?? null,
      quantization: asText(props.model_ftype) ?? null,
      fileBytes: asCount(meta.size) ?? null,
      contextLength: asCount(asObject(props.default_generation_settings).n_ctx) ?? null,
      placement: null,
      fitsInVram: null,
      hasFim: await canFillIn(ask, model),
    };
  },

  objection({ prompt }, { hasFim }) {
    if (prompt.kind === "text") return null;
    if (!hasFim) return noFim("its model has no tokens for it, as /infill says");
    const message =
      "fills in by a prompt of its own: prefix first unless it was started with --spm-infill, names of a project and a file before it where the model knows such, no longer than its batch";
    return { kind: "limited", message };
  },

  call(request, { model }) {
    const { prompt } = request;
    const rest = { model, ...settings(request) };
    if (prompt.kind === "text") return { path: "completion", body: { prompt: prompt.text, ...rest } };
    const { prefix, suffix } = prompt;
    return { path: "infill", body: { input_prefix: prefix, input_suffix: suffix, prompt: "", ...rest } };
  },

  read(data): Piece {
    const message = asObject(JSON.parse(data));
    const piece: Piece = {
      error: errorOf(message),
      text: asText(message.content),
      promptTokens: asCount(message.tokens_evaluated),
      tokensSoFar: asCount(message.tokens_predicted),
      serverMs: timeIn(asObject(message.timings)),
    };
    return message.stop === true ? { ...piece, stopReason: stopReasonOf(message), isLast: true } : piece;
  },
};

function timeIn({ prompt_ms, predicted_ms }: JsonObject): number | undefined {
  const [promptMs, textMs] = [asNumber(prompt_ms), asNumber(predicted_ms)];
  return promptMs === undefined || textMs === undefined ? undefined : promptMs + textMs;
}

const modelsOf = async (ask: Ask) => asList(asObject(await ask("v1/models", null)).data);

/** Nothing it tells of a model says so: it is asked for one token. */
async function canFillIn(ask: Ask, model: string): Promise<boolean> {
  try {
    await ask("infill", { model, input_prefix: "a", input_suffix: "b", prompt: "", n_predict: 1, stream: false });
    return true;
  } catch (error) {
    const { status } = toAppError(error).details;
    // 501 where the model lacks the tokens; 404 where the server is older than the way.
    if (status === 501 || status === 404) return false;
    throw error;
  }
}

/**
 * Only what the request names shapes the text, whatever filters the server (top-k 40, min-p 0.05), its command line or
 * the model's file add by themselves. Nothing is taken from or kept in its cache.
 */
function settings({ maxTokens, temperature, topP, seed, stop, ignoreEnd }: GenerationRequest): object {
  return {
    n_predict: maxTokens,
    // In the order of the engine.
    samplers: ["temperature", "top_p"],
    mirostat: 0,
    temperature,
    top_p: topP,
    seed,
    stop,
    ignore_eos: ignoreEnd,
    cache_prompt: false,
    timings_per_token: true,
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
