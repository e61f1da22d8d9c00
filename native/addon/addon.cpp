// What JavaScript can call; the contract is src/engineHost/addon.ts.
#include <napi.h>

#include "addon/async_task.h"
#include "addon/js_model.h"
#include "addon/js_planning.h"
#include "addon/js_thread.h"
#include "addon/js_values.h"
#include "core/file.h"
#include "engine/engine.h"
#include "hotcold/gpu/cuda_hot_unit.h"

namespace hotpath {

namespace {

constexpr float kProgressStep = 0.01f;

Napi::Value JsStart(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = info[0].IsObject() ? info[0].As<Napi::Object>() : Napi::Object::New(env);
  const Napi::Value directories = options.Get("libraryDirectories");
  const Napi::Value on_log = options.Get("onLog");
  if (!directories.IsArray() || !on_log.IsFunction()) {
    throw to_js_error(env, {ErrorCode::request_invalid, "libraryDirectories must be an array and onLog a function", {}});
  }
  JsThread& js = JsThread::of(env);
  const auto callback = js.keep(on_log.As<Napi::Function>());
  set_log_sink([&js, callback](LogLevel level, const std::string& text) {
    js.post([&js, callback, level, text](Napi::Env env) {
      Napi::Object line = Napi::Object::New(env);
      line["level"] = to_text(level);
      line["text"] = text;
      js.call(callback, {line});
    });
  });
  std::vector<std::string> paths;
  const auto array = directories.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) paths.push_back(array.Get(i).ToString());
  const auto libraries = engine::start(paths);
  if (!libraries) throw to_js_error(env, libraries.error());
  return to_js(env, *libraries);
}

Napi::Value JsDevices(const Napi::CallbackInfo& info) {
  const auto devices = engine::devices();
  Napi::Array array = Napi::Array::New(info.Env(), devices.size());
  for (uint32_t i = 0; i < devices.size(); ++i) array[i] = to_js(info.Env(), devices[i]);
  return array;
}

Napi::Value JsCudaKernels(const Napi::CallbackInfo& info) {
  const auto path = read_path(info[0]);
  if (!path) throw to_js_error(info.Env(), path.error());
  const hotcold::CudaLibrary library = hotcold::cuda_library(*path);
  Napi::Object object = Napi::Object::New(info.Env());
  object["ok"] = library.state == hotcold::CudaState::ok;
  object["text"] = library.text;
  return object;
}

Napi::Value JsInspect(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto path = read_path(info[0]);
  if (!path) return rejected(env, path);
  const auto start = [&](Finish<ModelMetadata> finish) {
    JsThread::of(env).run_beside([path = std::move(*path), finish = std::move(finish)] { finish(engine::inspect(path)); });
  };
  return start_promise<ModelMetadata>(env, {}, {}, start,
                                      [](Napi::Env env, const ModelMetadata& metadata) { return to_js(env, metadata); });
}

Napi::Value JsLoad(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CancelFlag cancel;
  auto spec = read_load_spec(info[0]);
  if (spec && !info[1].IsFunction()) spec = Error{ErrorCode::request_invalid, "onProgress must be a function", {}};
  if (!spec) return make_task(env, rejected(env, spec), cancel);

  JsThread& js = JsThread::of(env);
  const auto callback = js.keep(info[1].As<Napi::Function>());
  const auto report = [&js, callback, last = -1.0f](float fraction) mutable {
    if (fraction < 1 && fraction < last + kProgressStep) return;
    last = fraction;
    js.post([&js, callback, fraction](Napi::Env env) { js.call(callback, {Napi::Number::New(env, fraction)}); });
  };
  using Loaded = std::shared_ptr<Model>;
  const auto start = [&](Finish<Loaded> finish) {
    js.run_beside([spec = std::move(*spec), report, cancel, finish = std::move(finish)] {
      finish(engine::load(spec, report, cancel));
    });
  };
  const auto promise = start_promise<Loaded>(
      env, cancel, {callback}, start, [](Napi::Env env, const Loaded& model) { return JsModel::create(env, model); });
  return make_task(env, promise, cancel);
}

Napi::Value JsSynthesize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CancelFlag cancel;
  auto params = read_synthetic_params(info[0]);
  std::string path = params ? Fields(info[0]).text("path") : "";
  if (params && path.empty()) params = Error{ErrorCode::request_invalid, "path must be a string that is not empty", {}};
  if (params && !info[1].IsFunction()) params = Error{ErrorCode::request_invalid, "onProgress must be a function", {}};
  if (!params) return make_task(env, rejected(env, params), cancel);

  JsThread& js = JsThread::of(env);
  const auto callback = js.keep(info[1].As<Napi::Function>());
  const auto report = [&js, callback, last = uint64_t{0}](uint64_t bytes, uint64_t total) mutable {
    if (bytes < total && static_cast<float>(bytes - last) < kProgressStep * static_cast<float>(total)) return;
    last = bytes;
    js.post([&js, callback, bytes, total](Napi::Env env) {
      js.call(callback, {Napi::Number::New(env, static_cast<double>(bytes)), Napi::Number::New(env, static_cast<double>(total))});
    });
  };
  const auto start = [&](Finish<synth::Written> finish) {
    js.run_beside([params = std::move(*params), path = std::move(path), report, cancel, finish = std::move(finish)] {
      finish(engine::synthesize(params.spec, params.vocabulary, path, report, cancel));
    });
  };
  const auto promise = start_promise<synth::Written>(
      env, cancel, {callback}, start, [](Napi::Env env, const synth::Written& written) { return to_js(env, written); });
  return make_task(env, promise, cancel);
}

Napi::Value JsDescribeSynthetic(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto params = read_synthetic_params(info[0]);
  if (!params) return rejected(env, params);
  const auto start = [&](Finish<synth::Description> finish) {
    JsThread::of(env).run_beside([params = std::move(*params), finish = std::move(finish)] {
      finish(engine::describe_synthetic(params.spec, params.vocabulary));
    });
  };
  return start_promise<synth::Description>(
      env, {}, {}, start, [](Napi::Env env, const synth::Description& description) { return to_js(env, description); });
}

Napi::Value JsPrepare(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CancelFlag cancel;
  auto params = read_prepare_params(info[0]);
  if (params && !info[1].IsFunction()) params = Error{ErrorCode::request_invalid, "onProgress must be a function", {}};
  if (!params) return make_task(env, rejected(env, params), cancel);

  JsThread& js = JsThread::of(env);
  const auto callback = js.keep(info[1].As<Napi::Function>());
  const auto report = [&js, callback, last_step = PrepareStep::packing, last = 0.0](PrepareStep step, double done, double total) mutable {
    if (step == last_step && done < total && done - last < kProgressStep * total) return;
    last_step = step;
    last = done;
    js.post([&js, callback, step, done, total](Napi::Env env) {
      js.call(callback, {Napi::String::New(env, to_text(step)), Napi::Number::New(env, done), Napi::Number::New(env, total)});
    });
  };
  const auto start = [&](Finish<Prepared> finish) {
    js.run_beside([params = std::move(*params), report, cancel, finish = std::move(finish)] {
      finish(engine::prepare(params, report, cancel));
    });
  };
  const auto promise = start_promise<Prepared>(
      env, cancel, {callback}, start, [](Napi::Env env, const Prepared& prepared) { return to_js(env, prepared); });
  return make_task(env, promise, cancel);
}

Napi::Value JsLockFile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto path = read_path(info[0]);
  if (!path) throw to_js_error(env, path.error());
  const auto locked = lock_file_for_process_life(*path);
  if (!locked) throw to_js_error(env, locked.error());
  return Napi::Boolean::New(env, *locked);
}

Napi::Object export_functions(Napi::Env env, Napi::Object exports) {
  auto* js = new JsThread(env);
  env.SetInstanceData(js);  // deleted with the environment
  js->model_class = Napi::Persistent(JsModel::define(env));
  exports["start"] = Napi::Function::New<JsStart>(env, "start");
  exports["devices"] = Napi::Function::New<JsDevices>(env, "devices");
  exports["cudaKernels"] = Napi::Function::New<JsCudaKernels>(env, "cudaKernels");
  exports["inspect"] = Napi::Function::New<JsInspect>(env, "inspect");
  exports["load"] = Napi::Function::New<JsLoad>(env, "load");
  exports["synthesize"] = Napi::Function::New<JsSynthesize>(env, "synthesize");
  exports["describeSynthetic"] = Napi::Function::New<JsDescribeSynthetic>(env, "describeSynthetic");
  exports["prepare"] = Napi::Function::New<JsPrepare>(env, "prepare");
  exports["lockFile"] = Napi::Function::New<JsLockFile>(env, "lockFile");
  export_planning(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(hotpath, export_functions)

}  // namespace hotpath
