#include "addon/js_planning.h"

#include "addon/async_task.h"
#include "addon/js_thread.h"
#include "addon/js_values.h"
#include "engine/planning.h"

namespace hotpath {

namespace {

constexpr double kMaxBytes = 1e15;
constexpr double kMaxContext = 1 << 30;
constexpr int kCurvePoints = 20;

Result<engine::PlanParams> read_plan_params(Napi::Value value) {
  Fields fields(value);
  engine::PlanParams params;
  params.path = fields.text("path");
  params.mode = read_mode(fields);
  params.vram_bytes = static_cast<uint64_t>(fields.whole("vramBytes", 0, kMaxBytes));
  params.ram_bytes = static_cast<uint64_t>(fields.whole("ramBytes", 0, kMaxBytes));
  params.context_length = static_cast<uint32_t>(fields.whole("contextLength", 0, kMaxContext));
  params.profile = fields.text("profile");
  if (!fields.ok()) return fields.error();
  const auto rates = read_rates(value.As<Napi::Object>().Get("rates"));
  if (!rates) return rates.error();
  params.rates = *rates;
  return params;
}

Napi::Object to_js(Napi::Env env, const MachineRates& rates) {
  Napi::Object object = Napi::Object::New(env);
  object["cpuStreamGBps"] = rates.cpu_stream_gbps;
  object["cpuGather2kGBps"] = rates.cpu_gather_2k_gbps;
  object["cpuGather4kGBps"] = rates.cpu_gather_4k_gbps;
  object["gpuGBps"] = rates.gpu_gbps;
  object["gpuLayerUs"] = rates.gpu_layer_us;
  object["exchangeUs"] = rates.exchange_us;
  return object;
}

template <typename Item, typename Convert>
Napi::Array to_js_array(Napi::Env env, const std::vector<Item>& items, Convert convert) {
  Napi::Array array = Napi::Array::New(env, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) array[i] = convert(items[i]);
  return array;
}

Napi::Value to_js(Napi::Env env, const MachineMeasurement& measured) {
  Napi::Object object = Napi::Object::New(env);
  object["cpu"] = to_js_array(env, measured.cpu, [&](const CpuRate& cpu) {
    Napi::Object entry = Napi::Object::New(env);
    entry["threads"] = cpu.threads;
    entry["streamGBps"] = cpu.stream_gbps;
    entry["gather2kGBps"] = cpu.gather_2k_gbps;
    entry["gather4kGBps"] = cpu.gather_4k_gbps;
    return entry;
  });
  object["gpus"] = to_js_array(env, measured.gpus, [&](const GpuRate& gpu) {
    Napi::Object entry = Napi::Object::New(env);
    entry["name"] = gpu.name;
    entry["description"] = gpu.description;
    entry["matvecGBps"] = gpu.matvec_gbps;
    entry["graphUs"] = gpu.graph_us;
    entry["exchangeUs"] = gpu.exchange_us;
    entry["uploadGBps"] = gpu.upload_gbps;
    entry["downloadGBps"] = gpu.download_gbps;
    return entry;
  });
  object["rates"] = to_js(env, rates_of(measured));
  return object;
}

const char* to_text(FfnPlace place) {
  switch (place) {
    case FfnPlace::stock_gpu: return "gpu";
    case FfnPlace::split: return "split";
    default: return "cpu";
  }
}

Napi::Object to_js(Napi::Env env, const PlanLayer& layer, const PlanReport::Layer& report) {
  Napi::Object object = Napi::Object::New(env);
  object["attention"] = layer.choice.attention_on_gpu ? "gpu" : "cpu";
  object["ffn"] = to_text(layer.choice.ffn);
  object["kind"] = ffn_kind_text(report.kind);
  object["unitCount"] = report.n_units;
  object["hotCount"] = static_cast<double>(layer.hot.size());
  object["activeShare"] = report.active_share;
  object["hotActivity"] = report.hot_activity;
  object["attentionMs"] = 1e3 * report.cost.attention_s;
  object["gpuMs"] = 1e3 * report.cost.gpu_s;
  object["cpuMs"] = 1e3 * report.cost.cpu_s;
  object["exchangeMs"] = 1e3 * report.cost.exchange_s;
  object["totalMs"] = 1e3 * report.cost.total_s();
  object["gpuBytes"] = report.cost.gpu_bytes;
  object["cpuBytes"] = report.cost.cpu_bytes;
  object["vramBytes"] = static_cast<double>(report.cost.vram_bytes);
  return object;
}

Napi::Value to_js(Napi::Env env, const engine::ModelPlan& plan) {
  const Plan& made = plan.planned.plan;
  const PlanReport& report = plan.planned.report;
  Napi::Object object = Napi::Object::New(env);
  object["model"] = to_js(env, plan.metadata);
  object["mode"] = hotcold::mode_name(made.mode);
  object["contextLength"] = plan.context_length;
  object["sequenceCount"] = plan.sequence_count;
  object["isStock"] = made.is_stock;
  object["reason"] = report.reason;
  object["notes"] = to_js_array(env, report.notes, [&](const std::string& note) { return Napi::String::New(env, note); });
  object["tokensPerSecond"] = 1 / report.seconds;
  object["stockTokensPerSecond"] = 1 / report.stock_seconds;
  object["headOnGpu"] = made.head_on_gpu;
  object["headMs"] = 1e3 * report.head.total_s();
  object["headBytes"] = report.head.gpu_bytes + report.head.cpu_bytes;
  object["budgetBytes"] = static_cast<double>(report.budget_bytes);
  object["vramUsedBytes"] = static_cast<double>(report.vram_used_bytes);
  object["ramNeededBytes"] = static_cast<double>(report.ram_needed_bytes);
  Napi::Array layers = Napi::Array::New(env, made.layers.size());
  for (uint32_t i = 0; i < made.layers.size(); ++i) layers[i] = to_js(env, made.layers[i], report.layers[i]);
  object["layers"] = layers;
  return object;
}

/// A profile as people look at it: curves, not counts.
Napi::Value to_js(Napi::Env env, const ActivationProfile& profile) {
  Napi::Object object = Napi::Object::New(env);
  object["modelName"] = profile.model_name;
  object["layers"] = to_js_array(env, profile.layers, [&](const LayerActivity& layer) {
    Napi::Object entry = Napi::Object::New(env);
    entry["neuronCount"] = static_cast<double>(layer.counts.size());
    entry["tokens"] = static_cast<double>(layer.tokens);
    entry["activeShare"] = active_share(layer);
    Napi::Array curve = Napi::Array::New(env, kCurvePoints);
    for (int i = 0; i < kCurvePoints; ++i) curve[static_cast<uint32_t>(i)] = hottest_share(layer, (i + 1.0) / kCurvePoints);
    entry["curve"] = curve;
    entry["hottest26"] = hottest_share(layer, 0.26);
    return entry;
  });
  return object;
}

/// A promise of what `work` returns on a thread of its own.
template <typename T>
Napi::Promise run_beside(Napi::Env env, const CancelFlag& cancel, std::vector<JsThread::CallbackId> callbacks,
                         std::function<Result<T>()> work) {
  const auto start = [&](Finish<T> finish) {
    JsThread::of(env).run_beside([work = std::move(work), finish = std::move(finish)] { finish(work()); });
  };
  return start_promise<T>(env, cancel, std::move(callbacks), start, [](Napi::Env env, const T& value) { return to_js(env, value); });
}

Napi::Value JsMeasure(const Napi::CallbackInfo& info) {
  const CancelFlag cancel;
  return make_task(info.Env(), run_beside<MachineMeasurement>(info.Env(), cancel, {}, [cancel] { return engine::measure(cancel); }), cancel);
}

Napi::Value JsPlan(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto params = read_plan_params(info[0]);
  if (!params) return rejected(env, params);
  return run_beside<engine::ModelPlan>(env, {}, {}, [params = std::move(*params)] { return engine::plan(params); });
}

Napi::Value JsProfile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CancelFlag cancel;
  auto spec = read_model_spec(info[0]);
  Fields fields(info[1]);
  const std::vector<std::string> files = fields.texts("files");
  const std::string out = fields.text("out");
  if (spec && !fields.ok()) spec = fields.error();
  if (spec && !info[2].IsFunction()) spec = Error{ErrorCode::request_invalid, "onProgress must be a function", {}};
  if (!spec) return make_task(env, rejected(env, spec), cancel);

  JsThread& js = JsThread::of(env);
  const auto callback = js.keep(info[2].As<Napi::Function>());
  const auto report = [&js, callback](const ProfileProgress& progress) {
    js.post([&js, callback, progress](Napi::Env env) {
      js.call(callback, {Napi::Number::New(env, static_cast<double>(progress.tokens)),
                         Napi::Number::New(env, static_cast<double>(progress.total_tokens))});
    });
  };
  const auto promise = run_beside<ActivationProfile>(env, cancel, {callback}, [spec = std::move(*spec), files, out, report, cancel] {
    return engine::profile(spec, files, out, report, cancel);
  });
  return make_task(env, promise, cancel);
}

Napi::Value JsReadProfile(const Napi::CallbackInfo& info) {
  auto path = read_path(info[0]);
  if (!path) return rejected(info.Env(), path);
  return run_beside<ActivationProfile>(info.Env(), {}, {}, [path = std::move(*path)] { return engine::read_profile(path); });
}

Napi::Value JsMergeProfiles(const Napi::CallbackInfo& info) {
  Fields fields(info[0]);
  const std::vector<std::string> files = fields.texts("files");
  const std::string out = fields.text("out");
  if (!fields.ok()) return rejected(info.Env(), Result<Done>(fields.error()));
  return run_beside<ActivationProfile>(info.Env(), {}, {}, [files, out] { return engine::merge_profiles(files, out); });
}

}  // namespace

void export_planning(Napi::Env env, Napi::Object exports) {
  exports["measure"] = Napi::Function::New<JsMeasure>(env, "measure");
  exports["plan"] = Napi::Function::New<JsPlan>(env, "plan");
  exports["profile"] = Napi::Function::New<JsProfile>(env, "profile");
  exports["readProfile"] = Napi::Function::New<JsReadProfile>(env, "readProfile");
  exports["mergeProfiles"] = Napi::Function::New<JsMergeProfiles>(env, "mergeProfiles");
}

}  // namespace hotpath
