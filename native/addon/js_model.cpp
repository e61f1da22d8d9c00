#include "addon/js_model.h"

#include <algorithm>

#include "addon/async_task.h"

namespace hotpath {

Napi::Function JsModel::define(Napi::Env env) {
  return DefineClass(env, "NativeModel",
                     {InstanceAccessor<&JsModel::JsInfo>("info"), InstanceMethod<&JsModel::JsGenerate>("generate"),
                      InstanceMethod<&JsModel::JsTokenize>("tokenize"), InstanceMethod<&JsModel::JsUnload>("unload")});
}

Napi::Object JsModel::create(Napi::Env env, const std::shared_ptr<Model>& model) {
  JsThread& js = JsThread::of(env);
  js.watch(model);
  auto handed_over = model;
  return js.model_class.New({Napi::External<std::shared_ptr<Model>>::New(env, &handed_over)});
}

JsModel::JsModel(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsModel>(info) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw to_js_error(info.Env(), {ErrorCode::request_invalid, "models are made by load()", {}});
  }
  model_ = *info[0].As<Napi::External<std::shared_ptr<Model>>>().Data();
}

JsModel::~JsModel() {
  // A model nobody unloaded: freeing it may take a decode step, which the garbage collector must not wait for.
  if (model_ && !model_->is_unloading()) {
    JsThread::of(Env()).run_beside([model = std::move(model_)] { model->unload(); });
  }
}

Napi::Value JsModel::JsInfo(const Napi::CallbackInfo& info) { return to_js(info.Env(), model_->info()); }

Napi::Value JsModel::JsGenerate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CancelFlag cancel;
  auto params = read_generate_params(info[0]);
  if (params && !info[1].IsFunction()) params = Error{ErrorCode::request_invalid, "onText must be a function", {}};
  if (!params) return make_task(env, rejected(env, params), cancel);

  JsThread& js = JsThread::of(env);
  const auto on_text = js.keep(info[1].As<Napi::Function>());
  const auto emit = [&js, on_text](const std::string& text) {
    js.post([&js, on_text, text](Napi::Env env) { js.call(on_text, {Napi::String::New(env, text)}); });
  };
  Ref();  // the model stays while it works
  const auto start = [&](Finish<GenerateResult> finish) {
    model_->generate(std::move(*params), cancel, emit, [this, &js, finish = std::move(finish)](Result<GenerateResult> result) {
      finish(std::move(result));
      js.post([this](Napi::Env) { Unref(); });
    });
  };
  const auto promise = start_promise<GenerateResult>(
      env, cancel, {on_text}, start,
      [model = model_](Napi::Env env, const GenerateResult& result) { return to_js(env, result, model->info()); });
  return make_task(env, promise, cancel);
}

Napi::Value JsModel::JsTokenize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) throw to_js_error(env, {ErrorCode::request_invalid, "text must be a string", {}});
  const auto tokens = model_->tokenize(info[0].As<Napi::String>());
  if (!tokens) throw to_js_error(env, tokens.error());
  Napi::Int32Array array = Napi::Int32Array::New(env, tokens->size());
  std::copy(tokens->begin(), tokens->end(), array.Data());
  return array;
}

Napi::Value JsModel::JsUnload(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto start = [&](Finish<Done> finish) {
    JsThread::of(env).run_beside([model = model_, finish = std::move(finish)] {
      model->unload();
      finish(Done{});
    });
  };
  return start_promise<Done>(env, {}, {}, start, [](Napi::Env env, const Done&) { return env.Undefined(); });
}

}  // namespace hotpath
