// Between JavaScript values and ours; the one place where an Error becomes a JavaScript error.
#pragma once

#include <napi.h>

#include "addon/js_fields.h"
#include "engine/engine.h"

namespace hotpath {

/// What SynthesizeParams of src/protocol/model.ts says beside where to write.
struct SyntheticParams {
  std::string vocabulary;
  synth::Spec spec;
};

Napi::Error to_js_error(Napi::Env env, const Error& error);

Napi::Object to_js(Napi::Env env, const Libraries& libraries);
Napi::Object to_js(Napi::Env env, const Device& device);
Napi::Object to_js(Napi::Env env, const ModelMetadata& metadata);
Napi::Object to_js(Napi::Env env, const LoadedInfo& info);
/// `info`: of the model that made it.
Napi::Object to_js(Napi::Env env, const GenerateResult& result, const LoadedInfo& info);
Napi::Object to_js(Napi::Env env, const synth::Written& written);
Napi::Object to_js(Napi::Env env, const synth::Description& description);
Napi::Object to_js(Napi::Env env, const Prepared& prepared);
const char* to_text(LogLevel level);
const char* to_text(PrepareStep step);

/// The field "mode".
hotcold::Mode read_mode(Fields& fields);

/// request/invalid, naming the field, when the value is not of the declared type.
Result<ModelSpec> read_model_spec(Napi::Value value);
/// MachineRates of src/protocol/planning.ts.
Result<MachineRates> read_rates(Napi::Value value);
/// NativeModelSpec of src/engineHost/addon.ts.
Result<ModelSpec> read_load_spec(Napi::Value value);
Result<GenerateParams> read_generate_params(Napi::Value value);
Result<std::string> read_path(Napi::Value value);
Result<SyntheticParams> read_synthetic_params(Napi::Value value);
Result<PrepareParams> read_prepare_params(Napi::Value value);

}  // namespace hotpath
