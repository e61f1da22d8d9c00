// Work that ends on another thread, as JavaScript sees it: a promise, and a way to cancel.
#pragma once

#include <napi.h>

#include <functional>

#include "addon/js_thread.h"
#include "addon/js_values.h"

namespace hotpath {

template <typename T>
using Finish = std::function<void(Result<T>)>;

/// Calls `start` with a function to call exactly once, from any thread, with the result. `to_js` then makes its
/// JavaScript value; `callbacks` are forgotten when all is over.
template <typename T>
Napi::Promise start_promise(Napi::Env env, const CancelFlag& cancel, std::vector<JsThread::CallbackId> callbacks,
                            const std::function<void(Finish<T>)>& start,
                            std::function<Napi::Value(Napi::Env, const T&)> to_js) {
  JsThread& js = JsThread::of(env);
  const uint64_t task = js.begin(cancel);
  const auto deferred = Napi::Promise::Deferred::New(env);
  start([&js, task, deferred, callbacks = std::move(callbacks), to_js = std::move(to_js)](Result<T> result) {
    js.post([&js, task, deferred, callbacks, to_js, result = std::move(result)](Napi::Env env) {
      js.end(task);
      for (const auto id : callbacks) js.forget(id);
      if (result) deferred.Resolve(to_js(env, *result));
      else deferred.Reject(to_js_error(env, result.error()).Value());
    });
  });
  return deferred.Promise();
}

/// Task<T> of src/engineHost/addon.ts.
inline Napi::Object make_task(Napi::Env env, Napi::Promise promise, const CancelFlag& cancel) {
  Napi::Object task = Napi::Object::New(env);
  task["result"] = promise;
  task["cancel"] = Napi::Function::New(env, [cancel](const Napi::CallbackInfo&) { cancel.raise(); }, "cancel");
  return task;
}

template <typename T>
Napi::Promise rejected(Napi::Env env, const Result<T>& failed) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  deferred.Reject(to_js_error(env, failed.error()).Value());
  return deferred.Promise();
}

}  // namespace hotpath
