#include "addon/js_values.h"

#include "llama/sparsity.h"
#include "synth/options.h"

namespace hotpath {

namespace {

Napi::Value js_null(Napi::Env env) { return env.Null(); }

Napi::Value text_or_null(Napi::Env env, const std::string& text) {
  if (text.empty()) return js_null(env);
  return Napi::String::New(env, text);
}

const char* to_text(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::cpu: return "cpu";
    case DeviceKind::gpu: return "gpu";
    default: return "accelerator";
  }
}

double number(uint64_t value) { return static_cast<double>(value); }

template <typename Item, typename Convert>
Napi::Array to_js_array(Napi::Env env, const std::vector<Item>& items, Convert convert) {
  Napi::Array array = Napi::Array::New(env, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) array[i] = convert(items[i]);
  return array;
}

Napi::Object spec_to_js(Napi::Env env, const ModelSpec& spec) {
  Napi::Object object = Napi::Object::New(env);
  object["path"] = spec.path;
  object["device"] = spec.device == DeviceChoice::cpu ? "cpu" : "auto";
  object["gpuLayers"] = spec.gpu_layers;
  object["contextLength"] = spec.context_length;
  object["threads"] = spec.threads;
  object["mode"] = hotcold::mode_name(spec.mode);
  return object;
}

Napi::Value hot_to_js(Napi::Env env, const HotState& hot) {
  if (hot.device.empty()) return js_null(env);
  Napi::Object object = Napi::Object::New(env);
  object["device"] = hot.device;
  object["layers"] = hot.layers;
  object["neurons"] = number(hot.neurons);
  object["vramBytes"] = number(hot.vram_bytes);
  object["swaps"] = number(hot.swaps);
  return object;
}

Napi::Value memory_to_js(Napi::Env env, const std::optional<DeviceMemory>& memory) {
  if (!memory) return js_null(env);
  Napi::Object object = Napi::Object::New(env);
  object["weightBytes"] = number(memory->weight_bytes);
  object["kvBytes"] = number(memory->kv_bytes);
  object["computeBytes"] = number(memory->compute_bytes);
  object["hotBytes"] = number(memory->hot_bytes);
  return object;
}

constexpr double kMaxCount = 1 << 30;

}  // namespace

Napi::Error to_js_error(Napi::Env env, const Error& error) {
  Napi::Error js = Napi::Error::New(env, error.message);
  Napi::Object details = Napi::Object::New(env);
  for (const auto& [name, value] : error.details) {
    if (const auto* text = std::get_if<std::string>(&value)) details[name] = *text;
    else details[name] = std::get<double>(value);
  }
  js.Set("code", error_code_text(error.code));
  js.Set("details", details);
  return js;
}

const char* to_text(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    default: return "error";
  }
}

Napi::Object to_js(Napi::Env env, const Libraries& libraries) {
  Napi::Object object = Napi::Object::New(env);
  object["llamaVersion"] = libraries.llama_version;
  object["cpuVariant"] = libraries.cpu_variant;
  object["directory"] = libraries.directory;
  object["backends"] = to_js_array(env, libraries.backends, [&](const BackendLibrary& library) {
    Napi::Object entry = Napi::Object::New(env);
    entry["file"] = library.file;
    entry["loaded"] = library.loaded;
    entry["reason"] = text_or_null(env, library.reason);
    return entry;
  });
  return object;
}

Napi::Object to_js(Napi::Env env, const Device& device) {
  Napi::Object object = Napi::Object::New(env);
  object["name"] = device.name;
  object["description"] = device.description;
  object["kind"] = to_text(device.kind);
  object["memoryBytes"] = number(device.memory_bytes);
  object["freeBytes"] = number(device.free_bytes);
  return object;
}

Napi::Object to_js(Napi::Env env, const ModelMetadata& metadata) {
  Napi::Object object = Napi::Object::New(env);
  object["path"] = metadata.path;
  object["name"] = metadata.name;
  object["architecture"] = metadata.architecture;
  object["quantization"] = metadata.quantization;
  object["format"] = metadata.format;
  object["method"] = text_or_null(env, metadata.method.value_or(""));
  object["license"] = text_or_null(env, metadata.license.value_or(""));
  object["parameterCount"] = number(metadata.parameter_count);
  object["fileBytes"] = number(metadata.file_bytes);
  object["layerCount"] = metadata.layer_count;
  object["embeddingLength"] = metadata.embedding_length;
  object["trainedContextLength"] = metadata.trained_context_length;
  object["vocabularySize"] = metadata.vocabulary_size;
  if (metadata.fim) {
    Napi::Object fim = Napi::Object::New(env);
    fim["order"] = fim_order_text(metadata.fim->order);
    fim["source"] = metadata.fim->source;
    object["fim"] = fim;
  } else {
    object["fim"] = js_null(env);
  }
  object["maxLines"] = metadata.max_lines ? Napi::Value(Napi::Number::New(env, *metadata.max_lines)) : js_null(env);
  return object;
}

Napi::Object to_js(Napi::Env env, const LoadedInfo& info) {
  Napi::Object object = to_js(env, info.metadata);
  object["spec"] = spec_to_js(env, info.spec);
  object["contextLength"] = info.context_length;
  object["sequenceCount"] = info.sequence_count;
  object["threads"] = info.threads;
  object["devices"] = to_js_array(env, info.devices, [&](const DeviceShare& share) {
    Napi::Object entry = Napi::Object::New(env);
    entry["name"] = share.name;
    entry["description"] = share.description;
    entry["kind"] = to_text(share.kind);
    entry["layers"] = share.layers;
    entry["memory"] = memory_to_js(env, share.memory);
    return entry;
  });
  object["mode"] = hotcold::mode_name(info.ffn.mode);
  object["modeReason"] = info.ffn.reason;
  object["hot"] = hot_to_js(env, info.ffn.hot);
  object["profileNotice"] = text_or_null(env, info.ffn.profile_notice);
  object["fallback"] = text_or_null(env, info.fallback);
  object["sidecar"] = text_or_null(env, info.ffn.sidecar);
  object["sidecarNotice"] = text_or_null(env, info.ffn.sidecar_notice);
  object["loadMs"] = info.load_ms;
  object["kvBytes"] = number(info.kv_bytes);
  return object;
}

Napi::Object to_js(Napi::Env env, const GenerateResult& result, const LoadedInfo& info) {
  Napi::Object stats = Napi::Object::New(env);
  stats["promptTokens"] = number(result.stats.prompt_tokens);
  stats["reusedTokens"] = number(result.stats.reused_tokens);
  stats["cutTokens"] = number(result.stats.cut_tokens);
  stats["generatedTokens"] = number(result.stats.generated_tokens);
  stats["ttftMs"] = result.stats.ttft_ms;
  stats["totalMs"] = result.stats.total_ms;
  stats["prefillTokensPerSecond"] = result.stats.prefill_tokens_per_second;
  stats["decodeTokensPerSecond"] = result.stats.decode_tokens_per_second;
  stats["tokenTimesMs"] = js_null(env);
  if (const auto& times = result.stats.token_times_ms) {
    Napi::Array array = Napi::Array::New(env, times->size());
    for (uint32_t i = 0; i < times->size(); ++i) array[i] = (*times)[i];
    stats["tokenTimesMs"] = array;
  }
  stats["hot"] = hot_to_js(env, result.stats.hot);
  stats["sparsity"] = js_null(env);
  const bool is_counted = info.ffn.neurons_per_token == 0 || result.stats.ffn.neurons() > 0;
  if (info.ffn.mode != hotcold::Mode::dense && is_counted) {
    const Sparsity sparsity = sparsity_of(info, result.stats.ffn);
    Napi::Object entry = Napi::Object::New(env);
    entry["activeShare"] = sparsity.active_share;
    entry["hotShare"] = sparsity.hot_share;
    entry["bytesPerToken"] = sparsity.bytes_per_token;
    entry["denseBytesPerToken"] = sparsity.dense_bytes_per_token;
    stats["sparsity"] = entry;
  }
  Napi::Object object = Napi::Object::New(env);
  object["text"] = result.text;
  object["stopReason"] = stop_reason_text(result.stop_reason);
  object["stats"] = stats;
  return object;
}

Napi::Object to_js(Napi::Env env, const synth::Written& written) {
  Napi::Object object = Napi::Object::New(env);
  object["bytes"] = number(written.bytes);
  object["seconds"] = written.seconds;
  return object;
}

Napi::Object to_js(Napi::Env env, const synth::Description& description) {
  const synth::Shape& shape = description.shape;
  Napi::Object object = Napi::Object::New(env);
  object["architecture"] = description.architecture;
  object["layerCount"] = shape.n_layers;
  object["embeddingLength"] = shape.n_embd;
  object["feedForwardLength"] = shape.n_ff;
  object["vocabularySize"] = shape.n_vocab;
  object["parameterCount"] = number(description.parameters);
  object["bytes"] = number(description.bytes);
  object["layersBytes"] = number(description.layers_bytes);
  Napi::Object by_type = Napi::Object::New(env);
  for (const auto& [type, bytes] : description.type_bytes) by_type[ggml_type_name(type)] = number(bytes);
  object["bytesByType"] = by_type;
  object["kvBytesPerToken"] = number(description.kv_bytes_per_token);
  return object;
}

Napi::Object to_js(Napi::Env env, const Prepared& prepared) {
  Napi::Object divergence = Napi::Object::New(env);
  divergence["mean"] = prepared.divergence.mean;
  divergence["max"] = prepared.divergence.max;
  divergence["topAgreement"] = prepared.divergence.top_agreement;
  divergence["tokens"] = prepared.divergence.n_tokens;
  Napi::Object object = Napi::Object::New(env);
  object["path"] = prepared.path;
  object["bytes"] = number(prepared.bytes);
  object["keptBytes"] = number(prepared.kept_bytes);
  object["tensors"] = prepared.tensors;
  object["divergence"] = divergence;
  object["seconds"] = prepared.seconds;
  return object;
}

const char* to_text(PrepareStep step) {
  switch (step) {
    case PrepareStep::packing: return "packing";
    case PrepareStep::comparing: return "comparing";
    default: return "checking";
  }
}

hotcold::Mode read_mode(Fields& fields) {
  const auto mode = hotcold::mode_by_name(fields.text("mode"));
  return mode ? *mode : fields.fail<hotcold::Mode>("mode", "auto, dense, exact, predicted or threshold");
}

Result<ModelSpec> read_model_spec(Napi::Value value) {
  Fields fields(value);
  ModelSpec spec;
  spec.path = fields.text("path");
  const std::string device = fields.text("device");
  if (device != "auto" && device != "cpu") fields.fail<int>("device", "\"auto\" or \"cpu\"");
  spec.device = device == "cpu" ? DeviceChoice::cpu : DeviceChoice::automatic;
  spec.gpu_layers = static_cast<int>(fields.whole("gpuLayers", -1, kMaxCount));
  spec.context_length = static_cast<uint32_t>(fields.whole("contextLength", 0, kMaxCount));
  spec.threads = static_cast<int>(fields.whole("threads", 0, kMaxCount));
  spec.mode = read_mode(fields);
  if (!fields.ok()) return fields.error();
  return spec;
}

Result<MachineRates> read_rates(Napi::Value value) {
  Fields fields(value);
  MachineRates rates;
  rates.cpu_stream_gbps = fields.real("cpuStreamGBps");
  rates.cpu_gather_2k_gbps = fields.real("cpuGather2kGBps");
  rates.cpu_gather_4k_gbps = fields.real("cpuGather4kGBps");
  rates.gpu_gbps = fields.real("gpuGBps");
  rates.gpu_layer_us = fields.real("gpuLayerUs");
  rates.exchange_us = fields.real("exchangeUs");
  if (!fields.ok()) return fields.error();
  if (rates.cpu_stream_gbps <= 0 || rates.cpu_gather_2k_gbps <= 0 || rates.cpu_gather_4k_gbps <= 0 || rates.gpu_gbps < 0) {
    return Error{ErrorCode::request_invalid, "rates must be above 0", {}};
  }
  return rates;
}

Result<ModelSpec> read_load_spec(Napi::Value value) {
  auto spec = read_model_spec(value);
  if (!spec) return spec;
  Fields fields(value);
  spec->sidecars = fields.texts("sidecars");
  spec->profile = fields.text("profile");
  spec->cuda_library = fields.text("cudaLibrary");
  if (!fields.ok()) return fields.error();
  const Napi::Value rates = value.As<Napi::Object>().Get("rates");
  if (!rates.IsNull()) {
    auto read = read_rates(rates);
    if (!read) return read.error();
    spec->rates = *read;
  }
  return spec;
}

Result<GenerateParams> read_generate_params(Napi::Value value) {
  Fields fields(value);
  GenerateParams params;
  const std::string form = fields.text("form");
  if (form != "fim" && form != "text") fields.fail<int>("form", "\"fim\" or \"text\"");
  params.form = form == "text" ? PromptForm::text : PromptForm::fim;
  params.prefix = fields.text("prefix");
  params.suffix = fields.text("suffix");
  params.max_prompt_tokens = static_cast<size_t>(fields.whole("maxPromptTokens", 0, kMaxCount));
  params.max_tokens = static_cast<size_t>(fields.whole("maxTokens", 0, kMaxCount));
  params.max_lines = static_cast<size_t>(fields.whole("maxLines", 0, kMaxCount));
  params.stop = fields.texts("stop");
  params.temperature = static_cast<float>(fields.real("temperature"));
  params.top_p = static_cast<float>(fields.real("topP"));
  params.seed = static_cast<uint32_t>(fields.whole("seed", 0, UINT32_MAX));
  params.time_limit_ms = fields.real("timeLimitMs");
  params.sequence_key = fields.text("sequenceKey");
  params.ignore_end = fields.flag("ignoreEnd");
  params.fresh_cache = fields.flag("freshCache");
  params.time_tokens = fields.flag("timeTokens");
  if (!fields.ok()) return fields.error();
  return params;
}

Result<SyntheticParams> read_synthetic_params(Napi::Value value) {
  Fields fields(value);
  SyntheticParams params;
  params.vocabulary = fields.text("vocabulary");
  const std::map<std::string, std::string> options = fields.named_texts("options");
  if (!fields.ok()) return fields.error();
  auto spec = synth::read_spec(options);
  if (!spec) return spec.error();
  params.spec = *spec;
  return params;
}

Result<PrepareParams> read_prepare_params(Napi::Value value) {
  Fields fields(value);
  PrepareParams params;
  params.model = fields.text("model");
  params.sidecar = fields.text("sidecar");
  params.only_check = fields.flag("onlyCheck");
  params.mode = read_mode(fields);
  if (!fields.ok()) return fields.error();
  return params;
}

Result<std::string> read_path(Napi::Value value) {
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  return Error{ErrorCode::request_invalid, "path must be a string", {}};
}

}  // namespace hotpath
