// POST /v1/completions, as vLLM, llama-server, LM Studio and others offer it.
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

/** As the API has it. At the others the text is cut when it has come. */
const mostStops = 4;

export const openai: Dialect = {
  framing: "events",

  async open(server, ask) {
    const models = asList(asObject(await ask("v1/models", null)).data);
    const model = chooseModel(server, models.map(namesOf));
    const listed = models.find((entry) => namesOf(entry).includes(model));
    const owner = asText(listed?.owned_by);
    return {
      server: await versionOf(ask, owner),
      model,
      architecture: null,
      parameterCount: null,
      quantization: null,
      fileBytes: null,
      contextLength: asCount(listed?.max_model_len) ?? null,
      placement: null,
      fitsInVram: null,
      hasFim: false,
    };
  },

  objection({ prompt, ignoreEnd }) {
    if (prompt.kind === "fim") return noFim("/v1/completions takes text before the cursor only");
    if (!ignoreEnd) return null;
    return { kind: "limited", message: "is asked for `ignore_eos`, which not every server knows: texts may end early" };
  },

  call({ prompt, maxTokens, temperature, topP, seed, stop, ignoreEnd }, { model }) {
    return {
      path: "v1/completions",
      body: {
        model,
        prompt: prompt.kind === "text" ? prompt.text : prompt.prefix,
        max_tokens: maxTokens,
        temperature,
        top_p: topP,
        // As the API has them, whatever the server was started with.
        frequency_penalty: 0,
        presence_penalty: 0,
        seed,
        stream: true,
        stream_options: { include_usage: true },
        ...(stop.length > 0 ? { stop: stop.slice(0, mostStops) } : {}),
        ...(ignoreEnd ? { ignore_eos: true } : {}),
      },
    };
  },

  read(data): Piece {
    if (data === "[DONE]") return { isLast: true };
    const message = asObject(JSON.parse(data));
    const choice = asList(message.choices)[0];
    const usage = asObject(message.usage);
    return {
      error: errorOf(message),
      text: asText(choice?.text),
      promptTokens: asCount(usage.prompt_tokens),
      generatedTokens: asCount(usage.completion_tokens),
      stopReason: stopReasonOf(choice),
    };
  },
};

/** "stop" stands for the end of the text and for a stop string; only vLLM says which, by the string. */
function stopReasonOf(choice: ReturnType<typeof asObject> | undefined): Piece["stopReason"] {
  if (choice?.finish_reason === "length") return "tokens";
  if (typeof choice?.finish_reason !== "string") return undefined;
  return typeof choice.stop_reason === "string" ? "stop" : null;
}

/** vLLM tells its version beside the API; nobody else has to. */
async function versionOf(ask: Ask, owner: string | undefined): Promise<string> {
  const name = owner ?? "OpenAI-compatible";
  const answer = await ask("version", null).catch(() => null);
  const version = asText(asObject(answer).version);
  return version === undefined ? name : `${name} ${version}`;
}
