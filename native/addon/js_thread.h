// The way from any thread to the one that runs JavaScript, and the end of everything that runs beside it.
#pragma once

#include <napi.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"

namespace hotpath {

/// One per Node environment. All its work is over before the environment is torn down: nobody may call back later.
class JsThread {
 public:
  using Work = std::function<void(Napi::Env)>;
  using CallbackId = uint64_t;

  static JsThread& of(Napi::Env env) { return *env.GetInstanceData<JsThread>(); }
  explicit JsThread(Napi::Env env);

  /// Runs work on the JavaScript thread. Callable from any thread; does nothing once the environment ends.
  void post(Work work);

  // From here on: on the JavaScript thread only.

  /// Keeps a function of the caller where other threads can name it: a reference must not die on them.
  CallbackId keep(Napi::Function function);
  void forget(CallbackId id) { callbacks_.erase(id); }
  /// Calls a kept function; does nothing when it was forgotten.
  void call(CallbackId id, const std::vector<napi_value>& args);

  /// A piece of work has begun that must hold the process open, and be cancelled with the environment.
  uint64_t begin(const CancelFlag& cancel);
  void end(uint64_t task);

  /// Runs a blocking function on a thread of its own.
  void run_beside(std::function<void()> function);

  /// The model is unloaded with the environment at the latest.
  void watch(const std::shared_ptr<Model>& model);

  Napi::FunctionReference model_class;

 private:
  void close();
  void join_finished();

  Napi::Env env_;
  Napi::ThreadSafeFunction queue_;
  std::mutex mutex_;
  bool closed_ = false;
  std::map<CallbackId, Napi::FunctionReference> callbacks_;
  std::map<uint64_t, CancelFlag> tasks_;
  std::map<std::thread::id, std::thread> threads_;
  std::vector<std::thread::id> finished_;  // guarded by mutex_
  std::vector<std::weak_ptr<Model>> models_;
  uint64_t next_id_ = 1;
};

}  // namespace hotpath
